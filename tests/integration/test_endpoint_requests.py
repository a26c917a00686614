"""Requests over real sockets: their bytes, their address, and requests that are never sent."""

import socket

import pytest

from tests.calls import EndpointClient, calling, post
from tests.receiver import Receiver, raw, reply
from webhooks.domain.egress_policy import EgressPolicy
from webhooks.domain.http import HttpRequest, HttpResponse, NoResponse, NoResponseReason


def test_the_endpoint_gets_the_exact_method_path_headers_and_bytes(
    endpoint: EndpointClient, receiver: Receiver
) -> None:
    body = '{"name":"Zoë"}'.encode()

    response = endpoint.send(
        HttpRequest(
            "PATCH", receiver.url + "/hook/%C3%A9?a=1&b=%20", {"Content-Type": "x/y", "X-Key": "k"}, body
        ),
        seconds=2,
    )

    (received,) = receiver.requests
    assert isinstance(response, HttpResponse)
    assert (received.method, received.path, received.body) == ("PATCH", "/hook/%C3%A9?a=1&b=%20", body)
    assert received.header("Host") == f"127.0.0.1:{receiver.port}"
    assert received.header("Content-Length") == str(len(body))
    assert received.header("X-Key") == "k"
    assert [name.lower() for name, _ in received.headers].count("content-type") == 1
    assert received.header("Transfer-Encoding") is None


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({"X-Key": "a\r\nX-Injected: b"}, "unsafe-header"),
        ({"X-Key:\r\nX-Injected": "b"}, "unsafe-header"),
        ({"X-Key": "€"}, "unsafe-header"),
        ({"hOST": "inside.example"}, "reserved-header"),
        ({"Transfer-Encoding": "chunked"}, "reserved-header"),
    ],
)
def test_a_header_that_could_break_the_message_is_never_sent(
    endpoint: EndpointClient, receiver: Receiver, headers: dict[str, str], detail: str
) -> None:
    response = endpoint.send(HttpRequest("POST", receiver.url, headers, b"{}"), seconds=2)

    assert isinstance(response, NoResponse)
    assert (response.reason, response.detail) == (NoResponseReason.REFUSED, detail)
    assert receiver.requests == []
    assert receiver.connections == 0


def test_a_refused_address_is_never_connected_to(receiver: Receiver) -> None:
    with calling(policy=EgressPolicy(allow_http=True, ports=None)) as endpoint:
        response = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(response, NoResponse)
    assert (response.reason, response.detail, response.address) == (
        NoResponseReason.REFUSED,
        "loopback",
        None,
    )
    assert receiver.connections == 0


def test_a_response_has_its_status_time_address_and_excerpt(
    endpoint: EndpointClient, receiver: Receiver
) -> None:
    receiver.script(reply(503, b"busy " * 1_000, headers={"Retry-After": "120"}, delay=0.05))

    response = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(response, HttpResponse)
    assert (response.status, response.retry_after, response.address) == (503, "120", "127.0.0.1")
    assert response.excerpt == ("busy " * 1_000)[:1_024]
    assert 50 <= response.latency_ms < 1_000


def test_a_redirect_is_a_response_like_any_other(endpoint: EndpointClient, receiver: Receiver) -> None:
    receiver.script(reply(302, headers={"Location": "http://169.254.169.254/latest/meta-data/"}))

    response = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(response, HttpResponse)
    assert response.status == 302
    assert response.location == "http://169.254.169.254/latest/meta-data/"
    assert len(receiver.requests) == 1


def test_a_redirect_location_is_read_from_a_response_in_pieces(
    endpoint: EndpointClient, receiver: Receiver
) -> None:
    response = (
        b"HTTP/1.1 308 Permanent Redirect\r\nLocation: /hook/\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    receiver.script(raw(response))

    outcome = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(outcome, HttpResponse)
    assert (outcome.status, outcome.location) == (308, "/hook/")


def test_the_next_vetted_address_is_tried_after_a_refused_connection(receiver: Receiver) -> None:
    # Given a host with an address whose port is closed, before one whose port is open
    with calling("127.0.0.9", "127.0.0.1") as endpoint:
        response = endpoint.send(post(f"http://two.example:{receiver.port}/"), seconds=2)

    assert isinstance(response, HttpResponse)
    assert response.address == "127.0.0.1"
    assert receiver.requests[0].header("Host") == f"two.example:{receiver.port}"


def test_an_ipv6_literal_has_brackets_in_the_host_header(endpoint: EndpointClient) -> None:
    with Receiver(host="::1") as receiver:
        response = endpoint.send(post(receiver.url), seconds=2)

        assert isinstance(response, HttpResponse)
        assert response.address == "::1"
        assert receiver.requests[0].header("Host") == f"[::1]:{receiver.port}"


@pytest.mark.parametrize("spelling", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]"])
def test_odd_spellings_of_a_private_address_are_refused(spelling: str) -> None:
    with calling(policy=EgressPolicy()) as endpoint:
        response = endpoint.send(post(f"https://{spelling}/"), seconds=5)

    assert isinstance(response, NoResponse)
    assert (response.reason, response.detail) == (NoResponseReason.REFUSED, "loopback")


def test_a_closed_port_is_a_failed_connection(endpoint: EndpointClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    response = endpoint.send(post(f"http://127.0.0.1:{port}/"), seconds=2)

    assert isinstance(response, NoResponse)
    assert (response.reason, response.detail) == (NoResponseReason.CONNECT, "Connection refused")
    assert response.address == "127.0.0.1"
