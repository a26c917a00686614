"""Requests to endpoints on loopback, and the guards that allow them, for the tests that make real connections."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from webhooks.adapters.http.client import CurlHttpClient
from webhooks.adapters.http.egress_guard import EgressGuard
from webhooks.domain.egress_policy import EgressPolicy, parse_policy
from webhooks.domain.http import HttpOutcome, HttpRequest
from webhooks.ports import Call, Conversation

LOOPBACK = parse_policy(allow_http="true", ports="*", networks="127.0.0.0/8, ::1/128")


def post(url: str, body: bytes = b"{}", **headers: str) -> HttpRequest:
    return HttpRequest(
        "POST", url, {"Content-Type": "application/json", "User-Agent": "test", **headers}, body
    )


def resolving(*addresses: str) -> Callable[..., list[tuple[Any, ...]]]:
    """Resolve every host to these addresses."""
    responses = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]
    return lambda _host, _port, **_kind: responses


def one_call(request: HttpRequest, seconds: float) -> Conversation[HttpOutcome]:
    """Send one request."""
    outcome = yield Call(request, seconds)
    return outcome


def results[R](client: CurlHttpClient, conversations: Sequence[Conversation[R]]) -> list[R]:
    """Lead conversations to their ends; return their results in the order of the conversations."""

    def numbered(number: int, conversation: Conversation[R]) -> Conversation[tuple[int, R]]:
        result = yield from conversation
        return number, result

    found = dict(
        each
        for ended in client.send_all([numbered(*each) for each in enumerate(conversations)])
        for each in ended
    )
    return [found[number] for number in range(len(conversations))]


class EndpointClient(CurlHttpClient):
    """The real client, asked for single requests and for many at once."""

    def send(self, request: HttpRequest, *, seconds: float) -> HttpOutcome:
        return self.send_each([request], seconds=seconds)[0]

    def send_each(self, requests: Sequence[HttpRequest], *, seconds: float) -> list[HttpOutcome]:
        return results(self, [one_call(request, seconds) for request in requests])


@contextmanager
def calling(*addresses: str, policy: EgressPolicy = LOOPBACK, **settings: Any) -> Iterator[EndpointClient]:
    """Give a client that is closed afterwards; every host resolves to the addresses, if any are given."""
    guard = EgressGuard(policy, resolve=resolving(*addresses)) if addresses else EgressGuard(policy)
    with EndpointClient(guard, **settings) as client:
        yield client
