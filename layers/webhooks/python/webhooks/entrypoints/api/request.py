"""One HTTP request as API Gateway hands it over (REST API, proxy integration), read defensively."""

import json
import math
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from functools import cache
from typing import Any, Self

from webhooks.domain.errors import InvalidInputError
from webhooks.domain.json_text import JsonObject, read_object
from webhooks.domain.values import value_type
from webhooks.entrypoints.api import limits
from webhooks.entrypoints.api.errors import BodyTooLargeError, MediaTypeError

WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)
NO_OBJECT = "the body must be a JSON object"


@value_type(frozen=True, slots=True)
class ApiRequest:
    """A request to the API. Header names in lower case; headers and body can be secret.

    `query`: the parameters behind the path's `?`, the last of equal names; they can be secret too.
    `log_fields`: further fields of the request's log line.
    """

    id: str
    method: str
    path: str
    resource: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    context: Mapping[str, Any] = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    log_fields: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Self:
        """Read the request from the event."""
        context = event.get("requestContext") or {}
        return cls(
            id=str(context.get("requestId", "")),
            method=str(event.get("httpMethod", "")).upper(),
            path=_path(event, context),
            resource=str(event.get("resource") or ""),
            headers=_headers(event),
            body=_body(event),
            context=context,
            query=_query(event),
        )

    def query_fields(self) -> dict[str, Any]:
        """Return the query's parameters as a body would have them: whole numbers are int."""
        return {name: int(text) if WHOLE.fullmatch(text) else text for name, text in self.query.items()}

    def json_object(self) -> dict[str, Any]:
        """Return the body as the JSON object it must be, its numbers as int or Decimal.

        Strictly: no NaN, and no number beyond those of doubles.

        Raises BodyTooLargeError, MediaTypeError, InvalidInputError.
        """
        self._require_json(at_most=limits.BODY_BYTES)
        try:
            content = json.loads(self.body.decode(), parse_constant=_refuse, parse_float=_decimal)
        except (ValueError, ArithmeticError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise InvalidInputError([NO_OBJECT])
        return content

    def json_text(self, *, at_most: int) -> JsonObject:
        """Return the body as the JSON object it must be, with the text of its fields.

        `at_most`: bytes. Raises as `json_object` does.
        """
        self._require_json(at_most=at_most)
        try:
            return read_object(self.body.decode())
        except (ValueError, ArithmeticError, RecursionError):
            raise InvalidInputError([NO_OBJECT]) from None

    def _require_json(self, *, at_most: int) -> None:
        if len(self.body) > at_most:
            raise BodyTooLargeError(f"the body may have {at_most} bytes")
        if not _is_json(self.headers.get("content-type", "")):
            raise MediaTypeError("the content type must be application/json")


def _path(event: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    """Return the path as the API's resources have it, without the base path of a custom domain's mapping."""
    path = str(event.get("path") or "/")
    if context.get("path") != path:  # it begins with the stage there: not by a custom domain
        return path
    found = _behind_base_path(str(event.get("resource") or "")).fullmatch(path)
    return found[1] if found else path


@cache
def _behind_base_path(resource: str) -> re.Pattern[str]:
    """Return the pattern of a resource's paths behind as few segments of a base path as possible."""
    own = re.sub(r"\\{\w+(\\\+)?\\}", lambda name: ".+" if name[1] else "[^/]+", re.escape(resource))
    return re.compile(f"(?:/[^/]+)*?({own}/*)", re.ASCII)


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    several = event.get("multiValueHeaders") or {}
    last = {name: values[-1] for name, values in several.items() if values}
    return {
        str(name).lower(): str(value).strip()
        for name, value in {**last, **(event.get("headers") or {})}.items()
        if value is not None
    }


def _query(event: Mapping[str, Any]) -> dict[str, str]:
    several = event.get("multiValueQueryStringParameters") or {}
    last = {name: values[-1] for name, values in several.items() if values}
    found = {**last, **(event.get("queryStringParameters") or {})}
    return {str(name): str(value) for name, value in found.items() if value is not None}


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(text).encode(errors="surrogatepass")
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b"\xff"  # no UTF-8 either: it gets the response of a body that is no JSON


def _is_json(content_type: str) -> bool:
    """Tell whether it is JSON (RFC 8259, or a +json type of RFC 6839), which an absent type counts as."""
    essence = content_type.partition(";")[0].strip().lower()
    return essence in ("", "application/json") or (
        essence.startswith("application/") and essence.endswith("+json")
    )


def _refuse(name: str) -> None:
    raise ValueError(name)


def _decimal(text: str) -> Decimal:
    if not math.isfinite(float(text)):
        raise ValueError
    return Decimal(text)
