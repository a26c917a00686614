"""The client connects to vetted addresses and nowhere else."""

import socket
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pycurl  # type: ignore[import-untyped]  # its wheel has no types
import pytest

from tests.calls import LOOPBACK, EndpointClient, calling, post
from tests.receiver import Receiver, reply
from webhooks.adapters.http.ca_bundle import ca_bundle
from webhooks.adapters.http.egress_guard import EgressGuard, Target
from webhooks.adapters.http.transfers import Limits, Transfers
from webhooks.domain.egress_policy import EgressPolicy
from webhooks.domain.endpoint_url import EndpointUrl
from webhooks.domain.http import HttpResponse, NoResponse, NoResponseReason


class Blind(EgressGuard):
    """A guard that takes every lookup for vetted, so that only the look before each connect is left."""

    def _vet(self, parsed: EndpointUrl, addresses: tuple[IPv4Address | IPv6Address, ...]) -> Target:
        return Target(parsed, tuple(map(str, addresses)))


def test_an_address_is_checked_again_right_before_the_connection(receiver: Receiver) -> None:
    with EndpointClient(Blind(EgressPolicy(allow_http=True, ports=None))) as client:
        response = client.send(post(receiver.url), seconds=2)

    assert isinstance(response, NoResponse)
    assert (response.reason, response.detail) == (NoResponseReason.REFUSED, "loopback")
    assert receiver.connections == 0


def test_an_unvetted_address_is_not_connected_to(receiver: Receiver) -> None:
    # Given a transfer to a host that was looked up and vetted
    guard = EgressGuard(LOOPBACK)
    transfers = Transfers(guard, ca_file=ca_bundle(), limits=Limits())
    target = guard.target(receiver.url, seconds=1)
    transfer = transfers.start(
        post(receiver.url),
        target,
        lookup_seconds=0,
        seconds=1,
        excerpt_bytes=1,
        done=lambda _outcome: None,
    )

    # When libcurl wants a socket to another address, which the deployment allows
    address = (socket.AF_INET, socket.SOCK_STREAM, 6, (b"127.0.0.9", receiver.port))
    given = transfers.open_socket(transfer, address)

    assert given == pycurl.SOCKET_BAD
    assert transfer.refusal == "unvetted"
    transfers.close()


def test_one_refused_address_refuses_the_host(receiver: Receiver) -> None:
    with calling("127.0.0.1", "10.0.0.1") as client:
        response = client.send(post(f"http://two.example:{receiver.port}/"), seconds=2)

    assert isinstance(response, NoResponse)
    assert (response.reason, response.detail) == (NoResponseReason.REFUSED, "private")
    assert receiver.connections == 0


@pytest.mark.parametrize(("absent", "is_reached"), [(3, True), (4, False)])
def test_four_addresses_of_a_host_are_tried(receiver: Receiver, absent: int, is_reached: bool) -> None:
    addresses = [*(f"127.0.0.{number}" for number in range(2, 2 + absent)), "127.0.0.1"]
    with calling(*addresses) as client:
        response = client.send(post(f"http://many.example:{receiver.port}/"), seconds=5)

    assert isinstance(response, HttpResponse) is is_reached, response
    assert receiver.connections == is_reached


def test_a_second_lookup_changes_nothing(receiver: Receiver) -> None:
    # Given a name server that says another address each time
    asked = []

    def resolve(_host: str, _port: None, **_kind: Any) -> list[tuple[Any, ...]]:
        asked.append(1)
        address = "127.0.0.1" if len(asked) == 1 else "127.0.0.9"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]

    with EndpointClient(EgressGuard(LOOPBACK, resolve=resolve)) as client:
        responses = client.send_each([post(f"http://host.example:{receiver.port}/")] * 5, seconds=2)

    assert [getattr(response, "address", response) for response in responses] == ["127.0.0.1"] * 5
    assert len(asked) == 1


def test_a_host_that_moved_is_called_where_it_is_now(receiver: Receiver) -> None:
    now, addresses = [0.0], ["127.0.0.9"]

    def resolve(_host: str, _port: None, **_kind: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (addresses[0], 0))]

    with EndpointClient(EgressGuard(LOOPBACK, resolve=resolve, clock=lambda: now[0])) as client:
        request = post(f"http://host.example:{receiver.port}/")
        assert isinstance(client.send(request, seconds=2), NoResponse)
        addresses[0], now[0] = "127.0.0.1", 11.0
        response = client.send(request, seconds=2)

    assert isinstance(response, HttpResponse), response
    assert response.address == "127.0.0.1"


@pytest.mark.parametrize("name", ["http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    with calling() as client:
        assert isinstance(client.send(post(receiver.url), seconds=2), HttpResponse)


@pytest.mark.parametrize(
    "path", ["/a/../b/./c//d;p=1?x=%20%2B+%e9&y[]=1&z={id}|^", "/hook?", "/%2e%2e/", '/"<>`', "//x@y:z/"]
)
def test_a_path_is_sent_to_the_letter(receiver: Receiver, path: str) -> None:
    with calling() as client:
        assert isinstance(client.send(post(receiver.url + path), seconds=2), HttpResponse)

    assert receiver.requests[0].path == path


def test_only_our_own_headers_are_sent_besides_the_request_headers(receiver: Receiver) -> None:
    receiver.script(reply(200))
    with calling() as client:
        client.send(post(receiver.url, b"x" * 2_000_000, **{"X-Empty": "", "X-Key": " a "}), seconds=2)

    [received] = receiver.requests
    assert sorted(name for name, _ in received.headers) == [
        *("Accept-Encoding", "Content-Length", "Content-Type", "Host", "User-Agent", "X-Empty", "X-Key")
    ]
    assert len(received.body) == 2_000_000
