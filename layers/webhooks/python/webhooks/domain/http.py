"""One HTTP request to a tenant's endpoint and its outcome: values only, nothing here connects."""

import re
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from signing import TOKEN
from webhooks.domain.values import value_type

# They frame the message or choose its receiver: only the HTTP client may set them.
RESERVED_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

EXCERPT_BYTES = 1_024  # of a response's body, kept for the log
REDIRECTS = range(300, 400)
MAX_LOCATION = 256  # characters


UNSAFE, RESERVED = "unsafe-header", "reserved-header"
_TOKEN = re.compile(TOKEN)
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110, 5.5, without its line folding


@value_type(frozen=True, slots=True)
class HttpRequest:
    """A request: `url` absolute, `body` the exact bytes. Header values can be secrets: not in the repr."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def fault(self) -> str | None:
        """Name a method, header name or value that could break the message: it must not be sent."""
        named = _names_fault(self.method, tuple(self.headers))
        if named in {None, RESERVED} and not _are_values("".join(self.headers.values())):
            return UNSAFE
        return named


@lru_cache(maxsize=1024)  # requests have the same names again and again
def _names_fault(method: str, names: tuple[str, ...]) -> str | None:
    if not _TOKEN.fullmatch(method):
        return "unsafe-method"
    if not all(map(_TOKEN.fullmatch, names)):
        return UNSAFE
    if any(name.lower() in RESERVED_HEADERS for name in names):
        return RESERVED
    return None


def _are_values(text: str) -> bool:
    """Tell whether headers can have these characters; nearly all are printable ASCII, which is faster."""
    return (text.isascii() and text.isprintable()) or _VALUE.fullmatch(text) is not None


class PhaseTimes(NamedTuple):
    """When each phase of a call ended, in ms since its start; 0 where it had none: a kept connection has no
    lookup to wait for, no connect and no TLS. `first_byte`: of the response.
    """

    lookup: int
    connect: int
    tls: int
    first_byte: int
    total: int


@value_type(frozen=True, slots=True)
class HttpResponse:
    """An HTTP response of the endpoint, of any status.

    `excerpt`: the body's start, at most 1 KiB of UTF-8, other bytes replaced. `address`: of the peer.
    `location`: where a redirect leads (see `shown_location`). `times`: of the call.
    """

    status: int
    retry_after: str | None
    excerpt: str
    latency_ms: int
    address: str
    location: str | None = None
    times: PhaseTimes | None = None


def shown_location(status: int, value: str | None) -> str | None:
    """Return where a redirect leads, for the webhook's tenant; None where the status is none.

    Without user info, query and fragment, which can be secret, and cut off after 256 characters.
    """
    if value is None or status not in REDIRECTS:
        return None
    target = re.split(r"[?#]", value.strip(), maxsplit=1)[0]
    target = re.sub(r"//[^/]*@", "//", target)
    return re.sub(r"[^\x21-\x7e]", "?", target)[:MAX_LOCATION] or None


class NoResponseReason(StrEnum):
    """Why there is no HTTP response."""

    REFUSED = "refused"  # by the address guard, or a request that could break the message: never sent
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    RESET = "reset"  # the connection ended before the response did
    DEADLINE = "deadline"
    MALFORMED = "malformed"  # the response is not HTTP, or its headers are too long
    OAUTH = "oauth"  # no access token, so nothing was sent to the endpoint


@value_type(frozen=True, slots=True)
class NoResponse:
    """The endpoint gave no HTTP response.

    `detail` is safe to log and to show; for REFUSED it is the named reason. `address`: the one tried last.
    """

    reason: NoResponseReason
    detail: str
    latency_ms: int
    address: str | None
    times: PhaseTimes | None = None


type HttpOutcome = HttpResponse | NoResponse


@value_type(frozen=True, slots=True)
class ClientCredentials:
    """An OAuth 2.0 client_credentials grant (RFC 6749, 4.4)."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = ()
