"""Calls of DynamoDB and SQS, prepared without botocore's generic machinery: for a third of a call's CPU.

Botocore makes the first call of each operation, and its request is the pattern of all later ones: the same
URL and headers; body, time, trace and signature are each call's own. Botocore would walk the model for every
value of a request, look for the endpoint by rules and ask its hooks, and arrive at the same each time.

Credentials, keys and hashes of the signature, hooks before a request is sent, connections, retries with their
budget, responses and errors are botocore's, as for all other calls.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from types import SimpleNamespace
from typing import Any, Final, Self
from urllib.parse import urlsplit

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, HeadersDict
from botocore.compat import get_current_datetime
from botocore.handlers import add_recursion_detection_header, add_retry_headers

from webhooks.domain.values import value_type

SERVICES: Final = frozenset(("dynamodb", "sqs"))  # their parameters are the request's JSON, but for bytes
_SIGNED: Final = ("Content-Type", "X-Amz-Target", "x-amzn-query-mode")  # where botocore sends them
_NOT_SIGNED: Final = "User-Agent"
_FIRST_ERROR_STATUS: Final = 300


@value_type(frozen=True, slots=True)
class Pattern:
    """The part that all requests of an operation share; `model` is botocore's of it."""

    model: Any
    url: str
    host: str
    headers: Mapping[str, str]
    region: str
    service: str
    attempts: int

    @classmethod
    def of(cls, request: Any, model: Any) -> Self | None:
        """Read it from a request that botocore prepared; None where a later one could differ in more."""
        if model.idempotent_members or urlsplit(request.url)[2:4] not in {("", ""), ("/", "")}:
            return None  # botocore makes up a token; or the URL has a path or a query to sign
        headers = HeadersDict((name, _text(value)) for name, value in request.headers.items())
        _, _, region, service, _ = headers["Authorization"].partition("=")[2].partition(",")[0].split("/")
        return cls(
            model=model,
            url=request.url,
            host=_host(request),
            headers={name: headers[name] for name in (*_SIGNED, _NOT_SIGNED) if name in headers},
            region=region,
            service=service,
            attempts=int(headers["amz-sdk-request"].rpartition("=")[2]),
        )


class ShortCalls:
    """Takes over the calls of a client, from the second of each operation on."""

    def __init__(self, client: Any, credentials: Any) -> None:
        self._client = client
        self._credentials = credentials
        self._patterns: dict[str, Pattern | None] = {}
        self._endpoint = client._endpoint  # noqa: SLF001 - the part of a client that sends and tries again
        # The methods of one client and of its endpoint, replaced on these two objects alone.
        self._generic_call, client._make_api_call = client._make_api_call, self.call  # noqa: SLF001 - as above
        self._generic_request, self._endpoint.create_request = self._endpoint.create_request, self.request
        self._after_call = f"after-call.{client.meta.service_model.service_id.hyphenize()}"

    def call(self, operation: str, parameters: Mapping[str, Any]) -> Any:
        """Make a call as botocore's client does: return the response, or raise its error."""
        pattern = self._patterns.get(operation)
        if pattern is None:
            return self._generic_call(operation, parameters)
        context: dict[str, Any] = {"client_config": self._client.meta.config, "pattern": pattern}
        request = {"body": _JSON.encode(parameters).encode(), "context": context}
        http, parsed = self._endpoint.make_request(pattern.model, request)
        self._client.meta.events.emit(
            f"{self._after_call}.{operation}",
            http_response=http,
            parsed=parsed,
            model=pattern.model,
            context=context,
        )
        if http.status_code < _FIRST_ERROR_STATUS:
            return parsed
        code = context.get("error_code_override") or parsed.get("Error", {}).get("Code")
        raise self._client.exceptions.from_code(code)(parsed, operation)

    def request(self, parameters: Mapping[str, Any], model: Any = None) -> Any:
        """Prepare and sign one try of a call."""
        pattern = parameters["context"].get("pattern")
        if pattern is None:
            generic = self._generic_request(parameters, model)
            if model.name not in self._patterns:
                self._patterns[model.name] = Pattern.of(generic, model)
            return generic
        context, body = parameters["context"], parameters["body"]
        context["retries"]["max"] = pattern.attempts
        headers: Any = HeadersDict(_signed(pattern, body, self._credentials.get_frozen_credentials()))
        request: Any = AWSPreparedRequest(
            "POST", pattern.url, headers, body, stream_output=False, context=context
        )
        add_recursion_detection_header(params={"headers": headers})
        add_retry_headers(request=request)
        return request


def _signed(pattern: Pattern, body: bytes, credentials: Any) -> dict[str, str]:
    """Return the headers of a request, with its signature (AWS Signature Version 4)."""
    now = get_current_datetime().strftime(SIGV4_TIMESTAMP)
    headers = {**pattern.headers, "X-Amz-Date": now}
    if credentials.token:
        headers["X-Amz-Security-Token"] = credentials.token
    lines = {name.lower(): value for name, value in headers.items() if name != _NOT_SIGNED}
    lines["host"] = pattern.host
    names = sorted(lines)
    signed, digest = ";".join(names), sha256(body).hexdigest()
    canonical = "\n".join(("POST", "/", "", *(f"{name}:{lines[name]}" for name in names), "", signed, digest))
    # Botocore's own canonical request, made of parsed headers, takes four times as long.
    signer = SigV4Auth(credentials, pattern.service, pattern.region)
    dated: Any = SimpleNamespace(context={"timestamp": now})
    signature = signer.signature(signer.string_to_sign(dated, canonical), dated)
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(dated)}, SignedHeaders={signed}, Signature={signature}"
    )
    headers["Content-Length"] = str(len(body))
    return headers


def _host(request: Any) -> Any:
    """Return the Host header that botocore signs."""
    no_credentials: Any = None
    return SigV4Auth(no_credentials, "", "").headers_to_sign(request)["host"]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


_JSON: Final = json.JSONEncoder(default=_base64, separators=(",", ":"))
