"""Requests to endpoints on loopback, and the guards that allow them, for the tests that make real connections."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from webhooks.adapters.egress import EgressGuard
from webhooks.adapters.endpoint import HttpEndpoint, tls_context
from webhooks.domain.addresses import EgressPolicy, parse_policy
from webhooks.domain.exchange import HttpRequest

_TLS = tls_context()  # reading the authorities takes longer than most tests

LOOPBACK = parse_policy(allow_http="true", ports="*", networks="127.0.0.0/8, ::1/128")


def post(url: str, body: bytes = b"{}", **headers: str) -> HttpRequest:
    return HttpRequest(
        "POST", url, {"Content-Type": "application/json", "User-Agent": "test", **headers}, body
    )


def resolving(*addresses: str) -> Callable[..., list[tuple[Any, ...]]]:
    """Resolve every host to these addresses."""
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]
    return lambda _host, _port, **_kind: answers


@contextmanager
def calling(*addresses: str, policy: EgressPolicy = LOOPBACK, **settings: Any) -> Iterator[HttpEndpoint]:
    """Give an endpoint that is closed afterwards; every host resolves to the addresses, if any are given."""
    guard = EgressGuard(policy, resolve=resolving(*addresses)) if addresses else EgressGuard(policy)
    endpoint = HttpEndpoint(guard, **{"ssl_context": _TLS, **settings})
    try:
        yield endpoint
    finally:
        endpoint.close()
