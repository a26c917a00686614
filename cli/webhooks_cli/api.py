"""Calls the API: the service's key, the three headers, one request and its response."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from time import monotonic
from typing import Any
from uuid import UUID

import urllib3

from signing import IV_BYTES, PrivateKey, PublicKey, seal, shared_key
from webhooks_cli.context import CliContext
from webhooks_cli.deployment import Deployment
from webhooks_cli.errors import MissingError, UnreachableError, WrongUseError
from webhooks_cli.key_pairs import ensure_pair, new_pair, read_private_key, read_public_key

APP_ID = "webhooks-cli"
UUID_BYTES = 16
SECONDS = urllib3.Timeout(connect=5, read=35)  # API Gateway itself gives up after 29 s


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A response of the API; `elapsed_ms` from the request to the last byte."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    elapsed_ms: int

    def value(self) -> Any:
        """Return the body's JSON value, the text where it is not JSON, None where it is empty.

        A number with a fraction or an exponent is a Decimal, as events have more digits than floats.
        """
        if not self.body:
            return None
        try:
            return json.loads(self.body, parse_float=Decimal)
        except (ValueError, ArithmeticError, RecursionError):
            return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Session:
    """A caller's pair, the service's key, and the key that both share for envelopes."""

    pair: PrivateKey
    service_key: PublicKey
    shared_key: bytes = field(repr=False)


class Api:
    """Calls one deployment. The service's key is fetched once in a process."""

    def __init__(self, deployment: Deployment, context: CliContext) -> None:
        self._deployment = deployment
        self._context = context
        self._http = urllib3.PoolManager(
            retries=False, timeout=SECONDS, headers={"User-Agent": APP_ID, "Accept": "application/json"}
        )
        self._session: Session | None = None

    @property
    def url(self) -> str:
        """The API's URL without a slash at its end; raises MissingError."""
        if not self._deployment.url:
            raise MissingError(f"{self._deployment.origin} has no URL of the API: give --url")
        return self._deployment.url.rstrip("/")

    def session(self) -> Session:
        if self._session is None:
            service_key = self._service_key()
            pair = self._pair(service_key)
            self._session = Session(pair, service_key, shared_key(pair, service_key))
        return self._session

    def service_key(self) -> PublicKey:
        """Return the current public key of the service."""
        return self._session.service_key if self._session else self._service_key()

    def headers(self) -> dict[str, str]:
        """Make the three headers of one request; raises MissingError."""
        license_ = self._deployment.require_license()
        session = self.session()
        request_id = {
            "ts": int(self._context.clock()),
            "appid": APP_ID,
            "uuid": str(UUID(bytes=self._context.random_bytes(UUID_BYTES), version=4)),
        }
        return {
            "licensekey": self._seal(session, license_),
            "requestid": self._seal(session, json.dumps(request_id)),
            "publickey": session.pair.public_key.to_base64(),
        }

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> ApiResponse:
        """Send a request to a path (with its slash); raises UnreachableError."""
        return fetch(self._http, method, self.url + path, headers=headers or {}, body=body)

    def document(self, path: str) -> Any:
        """Return the JSON of a path without authentication; raises UnreachableError."""
        response = self.send("GET", path)
        if response.status != HTTPStatus.OK:
            raise UnreachableError(
                f"GET {self.url}{path} answered {response.status} {response.reason}, not 200"
            )
        return response.value()

    def _service_key(self) -> PublicKey:
        document = self.document("/publickeys")
        text = document.get("publicKey") if isinstance(document, dict) else None
        try:
            return read_public_key(str(text))
        except WrongUseError:
            raise UnreachableError(
                f"{self.url}/publickeys shows no public key: is this the API's URL?"
            ) from None

    def _pair(self, service_key: PublicKey) -> PrivateKey:
        path, curve = self._deployment.key_file, service_key.curve
        if path is None:  # any pair will do: the license proves the caller
            return new_pair(curve, self._context.random_bytes)
        if self._deployment.makes_key_file:
            return ensure_pair(path, curve, random_bytes=self._context.random_bytes)
        return read_private_key(path, curve)

    def _seal(self, session: Session, text: str) -> str:
        return seal(session.shared_key, text, self._context.random_bytes(IV_BYTES))


def fetch(
    http: urllib3.PoolManager, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None
) -> ApiResponse:
    """Send one request, follow no redirect, and read the whole response; raises UnreachableError."""
    began = monotonic()
    try:
        response = http.request(
            method, url, headers={**http.headers, **headers}, body=body, redirect=False, retries=False
        )
    except urllib3.exceptions.LocationParseError:
        raise WrongUseError(f"not a URL: {url}") from None
    except urllib3.exceptions.HTTPError as error:
        raise UnreachableError(f"{method} {url}: no response ({_cause(error)})") from None
    return ApiResponse(
        status=response.status,
        reason=response.reason or _phrase(response.status),
        headers=dict(response.headers.items()),
        body=response.data,
        elapsed_ms=round((monotonic() - began) * 1000),
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _cause(error: Exception) -> str:
    # The order counts: each of the first three is a subclass of the next.
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return "its host name does not resolve"
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "nothing listens there"
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "it took too long"
    if isinstance(error, urllib3.exceptions.SSLError):
        return "TLS failed: its certificate does not hold, or it speaks no TLS"
    return type(error).__name__
