"""The API as its callers see it: the service's key, the three headers, one request and its answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from time import monotonic
from typing import Any
from uuid import UUID

import urllib3

from signing import PrivateKey, PublicKey, seal, shared_key
from webhooks_cli.errors import MissingError, UnreachableError, WrongUseError
from webhooks_cli.key_pairs import ensure_pair, new_pair, read_private_key, read_public_key
from webhooks_cli.target import Target
from webhooks_cli.world import World

APP_ID = "webhooks-cli"
IV_BYTES = 16
SECONDS = urllib3.Timeout(connect=5, read=35)  # API Gateway itself gives up after 29 s


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered; `elapsed_ms` from the request to the last byte."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    elapsed_ms: int

    def value(self) -> Any:
        """Return the body as JSON, as text where it is none, None where there is no body."""
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Session:
    """A caller's pair and the service's key: what makes headers and opens envelopes."""

    pair: PrivateKey
    service_key: PublicKey
    shared_key: bytes = field(repr=False)


class Api:
    """Talks to one deployment. The service's key is asked for once, and kept for this process only."""

    def __init__(self, target: Target, world: World) -> None:
        self._target = target
        self._world = world
        self._http = urllib3.PoolManager(
            retries=False, timeout=SECONDS, headers={"User-Agent": APP_ID, "Accept": "application/json"}
        )
        self._session: Session | None = None

    @property
    def url(self) -> str:
        """Return the API's URL without a slash at its end; raises MissingError."""
        if not self._target.url:
            raise MissingError(f"{self._target.origin} has no URL of the API: give --url")
        return self._target.url.rstrip("/")

    def session(self) -> Session:
        """Return the caller's session, made at the first call."""
        if self._session is None:
            service_key = self._service_key()
            pair = self._pair(service_key)
            self._session = Session(pair, service_key, shared_key(pair, service_key))
        return self._session

    def service_key(self) -> PublicKey:
        """Return the public key that the service shows now."""
        return self._session.service_key if self._session else self._service_key()

    def headers(self) -> dict[str, str]:
        """Make the three headers of one request."""
        license_ = self._target.require_license()
        session = self.session()
        request_id = {
            "ts": int(self._world.clock()),
            "appid": APP_ID,
            "uuid": str(UUID(bytes=self._world.entropy(16), version=4)),
        }
        return {
            "licensekey": self._seal(session, license_),
            "requestid": self._seal(session, json.dumps(request_id)),
            "publickey": session.pair.public_key.to_wire(),
        }

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Send a request to a path (with its slash) and return the answer; raises UnreachableError."""
        return fetch(self._http, method, self.url + path, headers=headers or {}, body=body)

    def document(self, path: str) -> Any:
        """Return the JSON that a path without authentication answers; raises UnreachableError."""
        answer = self.send("GET", path)
        if answer.status != HTTPStatus.OK:
            raise UnreachableError(f"GET {self.url}{path} answered {answer.status} {answer.reason}, not 200")
        return answer.value()

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
        path, curve = self._target.key_file, service_key.curve
        if path is None:  # any pair will do: who calls is proven by the license
            return new_pair(curve, self._world.entropy)
        if self._target.makes_key_file:
            return ensure_pair(path, curve, entropy=self._world.entropy)
        return read_private_key(path, curve)

    def _seal(self, session: Session, text: str) -> str:
        return seal(session.shared_key, text, self._world.entropy(IV_BYTES))


def fetch(
    http: urllib3.PoolManager, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None
) -> Answer:
    """Send one request, follow nothing, and read the whole answer; raises UnreachableError."""
    began = monotonic()
    try:
        response = http.request(
            method, url, headers={**http.headers, **headers}, body=body, redirect=False, retries=False
        )
    except urllib3.exceptions.LocationParseError:
        raise WrongUseError(f"not a URL: {url}") from None
    except urllib3.exceptions.HTTPError as error:
        raise UnreachableError(f"{method} {url}: no answer ({_cause(error)})") from None
    return Answer(
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
    # The order counts: each of the first three is the next one too.
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return "its host name does not resolve"
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "nothing listens there"
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "it took too long"
    if isinstance(error, urllib3.exceptions.SSLError):
        return "TLS failed: its certificate does not hold, or it speaks no TLS"
    return type(error).__name__
