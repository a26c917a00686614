"""Connections that are kept: used again where that is safe, and only there."""

import gc
import sys
import time

import pytest

from tests.calls import EndpointClient, calling, post
from tests.receiver import Receiver, Script, raw, reply, reset, then_close
from tests.receiver_scripts import Connection, Received
from webhooks.adapters.http.transfers import Limits
from webhooks.domain.http import HttpResponse, NoResponse, NoResponseReason


def test_a_connection_is_used_again(endpoint: EndpointClient, receiver: Receiver) -> None:
    receiver.script(reply(200), reply(500, b"x" * 5_000), reply(204), reply(200, b"ok"))

    for _ in range(8):
        assert isinstance(endpoint.send(post(receiver.url), seconds=2), HttpResponse)

    assert receiver.connections == 1


def test_a_chunked_response_leaves_its_connection_usable(
    endpoint: EndpointClient, receiver: Receiver
) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;x=y\r\nay!\r\n0\r\nTrailer: x\r\n\r\n"

    def twice(connection: Connection, _received: Received) -> bool:
        connection.send(chunked)
        return True

    receiver.script(twice)
    responses = [endpoint.send(post(receiver.url), seconds=2) for _ in range(2)]

    assert [response.excerpt for response in responses if isinstance(response, HttpResponse)] == [
        "okay!",
        "okay!",
    ]
    assert receiver.connections == 1


def test_a_connection_closed_while_idle_is_replaced_at_no_attempt(
    endpoint: EndpointClient, receiver: Receiver
) -> None:
    receiver.script(then_close(reply(200)))
    endpoint.send(post(receiver.url), seconds=2)
    receiver.wait_until_closed()

    response = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(response, HttpResponse)
    assert receiver.connections == 2
    assert len(receiver.requests) == 2


@pytest.mark.parametrize("ending", [reset, raw(b"")], ids=["RST", "FIN"])
def test_a_reused_connection_that_closes_at_once_is_replaced_at_no_attempt(
    endpoint: EndpointClient, receiver: Receiver, ending: Script
) -> None:
    # Given a server whose time for idle connections is over just when the second request comes
    receiver.script(reply(200), ending, reply(200, b"right"))
    endpoint.send(post(receiver.url), seconds=2)

    response = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(response, HttpResponse), response
    assert response.excerpt == "right"
    assert [received.connection for received in receiver.requests] == [0, 0, 1]


@pytest.mark.parametrize("ending", [reset, raw(b"")], ids=["RST", "FIN"])
def test_a_new_connection_that_ends_without_a_response_is_not_replaced(
    endpoint: EndpointClient, receiver: Receiver, ending: Script
) -> None:
    receiver.script(ending)

    response = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(response, NoResponse)
    assert response.reason is NoResponseReason.RESET
    assert len(receiver.requests) == 1


def test_a_reused_connection_that_ends_within_a_response_is_not_replaced(
    endpoint: EndpointClient, receiver: Receiver
) -> None:
    receiver.script(reply(200), raw(b"HTTP/1.1 200 OK\r\nContent-Le"))
    endpoint.send(post(receiver.url), seconds=2)

    response = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(response, NoResponse)
    assert response.reason is NoResponseReason.RESET
    assert len(receiver.requests) == 2


def test_a_connection_with_unrequested_bytes_is_not_used_again(
    endpoint: EndpointClient, receiver: Receiver
) -> None:
    # Given an endpoint that answers twice to one request
    responses = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo"
    )
    receiver.script(raw(responses, keep_open=True), reply(200, b"right"))
    endpoint.send(post(receiver.url), seconds=2)

    # When it is called again, then the second response is not taken for this request's
    response = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(response, HttpResponse)
    assert response.excerpt == "right"
    assert receiver.connections == 2


def test_a_connection_with_the_header_close_is_not_used_again(
    endpoint: EndpointClient, receiver: Receiver
) -> None:
    receiver.script(reply(200, b"bye", headers={"Connection": "close"}))

    for _ in range(2):
        endpoint.send(post(receiver.url), seconds=2)

    assert receiver.connections == 2


def test_hosts_on_one_address_share_no_connection(receiver: Receiver) -> None:
    with calling("127.0.0.1") as endpoint:
        for host in ("one.example", "two.example", "one.example"):
            endpoint.send(post(f"http://{host}:{receiver.port}/"), seconds=2)

    assert [received.connection for received in receiver.requests] == [0, 1, 0]


def test_idle_connections_are_bounded_in_number(receiver: Receiver) -> None:
    with calling("127.0.0.1", limits=Limits(connections=2)) as endpoint:
        for host in ("one.example", "two.example", "three.example", "one.example"):
            endpoint.send(post(f"http://{host}:{receiver.port}/"), seconds=2)

    assert receiver.connections == 4  # the first host's connection had to go


def test_a_connection_that_is_idle_for_long_is_not_used_again(receiver: Receiver) -> None:
    with calling(limits=Limits(idle_seconds=1)) as endpoint:
        endpoint.send(post(receiver.url), seconds=2)
        endpoint.send(post(receiver.url), seconds=2)
        assert receiver.connections == 1
        time.sleep(1.2)
        endpoint.send(post(receiver.url), seconds=2)

    assert receiver.connections == 2


def test_the_pool_holds_two_batches_and_idles_less_than_a_load_balancer() -> None:
    assert Limits() == Limits(connections=256, idle_seconds=30, life_seconds=300)


def test_concurrent_requests_have_a_connection_each_and_leave_it_usable(
    endpoint: EndpointClient, receiver: Receiver
) -> None:
    receiver.script(reply(200, delay=0.1))
    for _ in range(2):
        responses = endpoint.send_each([post(receiver.url)] * 20, seconds=2)
        assert [getattr(response, "status", response) for response in responses] == [200] * 20

    assert receiver.connections == 20


def test_a_connection_that_lives_for_long_is_replaced(receiver: Receiver) -> None:
    with calling(limits=Limits(life_seconds=1)) as endpoint:
        endpoint.send(post(receiver.url), seconds=2)
        time.sleep(0.6)
        endpoint.send(post(receiver.url), seconds=2)
        assert receiver.connections == 1
        time.sleep(0.6)
        endpoint.send(post(receiver.url), seconds=2)

    assert receiver.connections == 2


def test_a_client_that_waits_for_the_next_batch_holds_no_body(
    endpoint: EndpointClient, receiver: Receiver
) -> None:
    body = b"x" * 1_000_000
    before = sys.getrefcount(body)

    assert isinstance(endpoint.send(post(receiver.url, body), seconds=2), HttpResponse)

    gc.collect()
    assert sys.getrefcount(body) == before
