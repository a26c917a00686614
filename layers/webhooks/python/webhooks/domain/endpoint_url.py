"""An endpoint's URL, taken apart once: the parts to send, and to connect to."""

import re
from dataclasses import field
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from webhooks.domain.values import value_type

MAX_URL_LENGTH: Final = 2_048  # the common limit of browsers and proxies

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
# Python's parser drops tabs and newlines, others take a backslash for a slash: refuse rather than guess.
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f\\]")
# IDNA 2003 and 2008 turn these into different hosts (UTS 46, section 7).
_AMBIGUOUS: Final = re.compile(
    "[\N{LATIN SMALL LETTER SHARP S}ς\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}]"
)
_HOST: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")


class InvalidUrlError(ValueError):
    """The text is no URL that can be called; its text says why. `reason` names it for the log."""

    def __init__(self, message: str, *, reason: str = "url") -> None:
        super().__init__(message)
        self.reason = reason


@value_type(frozen=True, slots=True)
class EndpointUrl:
    """`host`: lower case, punycode, no brackets, no final dot. `path`: with its query, never empty.

    `authority`: of the Host header, the port only where it is not the scheme's own. `text`: the URL as the
    endpoint sees it (RFC 9421's `@target-uri`).
    """

    scheme: str
    host: str
    port: int
    path: str
    authority: str = field(init=False)
    text: str = field(init=False)

    def __post_init__(self) -> None:
        host = f"[{self.host}]" if ":" in self.host else self.host
        authority = host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"
        object.__setattr__(self, "authority", authority)
        object.__setattr__(self, "text", f"{self.scheme}://{authority}{self.path}")


@lru_cache(maxsize=1_024)
def parse_url(text: str) -> EndpointUrl:
    """Take an absolute http or https URL apart; a fragment is dropped, as it is never sent.

    Raises InvalidUrlError with a text for the URL's author.
    """
    if len(text) > MAX_URL_LENGTH:
        raise InvalidUrlError(f"the URL must be at most {MAX_URL_LENGTH} characters long")
    if _UNSAFE.search(text):
        raise InvalidUrlError("the URL must not contain spaces, control characters or backslashes")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InvalidUrlError(f"the URL is malformed: {error}") from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise InvalidUrlError(
            "the URL must start with https:// (or http:// where the deployment allows it)", reason="scheme"
        )
    if parts.username is not None or parts.password is not None:
        raise InvalidUrlError("the URL must not contain a user name or password", reason="user-info")
    if port == 0:
        raise InvalidUrlError("the URL's port must be from 1 to 65535", reason="port")
    # An empty query is not the same as none (RFC 3986, 6.2.3), but `urlsplit` takes it for that.
    path = (parts.path or "/") + (f"?{parts.query}" if "?" in text.partition("#")[0] else "")
    if not path.isascii():
        raise InvalidUrlError("the URL's path and query must be percent-encoded where they are not ASCII")
    return EndpointUrl(parts.scheme, _host(parts), port or _DEFAULT_PORTS[parts.scheme], path)


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").removesuffix(".")
    if "[" in parts.netloc:
        return _ipv6(host)
    if _AMBIGUOUS.search(host):
        raise InvalidUrlError(
            "the URL's host has letters that IDNA versions encode differently: use punycode"
        )
    try:
        encoded = host.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise InvalidUrlError("the URL's host is not a host name") from error
    if not _HOST.fullmatch(encoded):
        raise InvalidUrlError("the URL's host is not a host name")
    return encoded


def _ipv6(text: str) -> str:
    try:
        address = IPv6Address(text)
    except ValueError as error:
        raise InvalidUrlError("the URL's host is not an IPv6 address") from error
    if address.scope_id is not None:
        raise InvalidUrlError("the URL's host must not have an IPv6 zone")
    return str(address)
