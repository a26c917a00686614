"""One wall-clock deadline over everything that an endpoint can be slow at, and nothing left behind."""

import gc
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.calls import LOOPBACK, EndpointClient, calling, post
from tests.receiver import Receiver, Script, drip, endless, mute, raw, reply, stall
from tests.receiver_scripts import Connection
from webhooks.adapters.http.egress_guard import EgressGuard
from webhooks.domain.http import HttpRequest, HttpResponse, NoResponse, NoResponseReason

SECONDS = 0.4
LATE = 0.1
OK = b"HTTP/1.1 200 OK\r\n"


def timed(
    endpoint: EndpointClient, request: HttpRequest, *, seconds: float = SECONDS
) -> tuple[HttpResponse | NoResponse, float]:
    started = time.monotonic()
    response = endpoint.send(request, seconds=seconds)
    return response, time.monotonic() - started


def assert_ended_on_time(response: HttpResponse | NoResponse, took: float, *, during: str) -> None:
    assert isinstance(response, NoResponse), response
    assert response.reason is NoResponseReason.DEADLINE
    assert during in response.detail
    assert SECONDS <= took < SECONDS + LATE
    assert SECONDS * 1_000 <= response.latency_ms < (SECONDS + LATE) * 1_000


@pytest.fixture
def unanswering() -> Iterator[int]:
    """Give the port of a listener whose queue is full: it answers no SYN."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield listener.getsockname()[1]


def test_a_silent_address_ends_on_time(endpoint: EndpointClient, unanswering: int) -> None:
    response, took = timed(endpoint, post(f"http://127.0.0.1:{unanswering}/"))

    assert_ended_on_time(response, took, during="connecting")


def test_a_second_address_gets_its_share_of_time_after_a_silent_first(unanswering: int) -> None:
    # Given a host whose first address answers nothing, and whose second one listens on the same port
    with (
        socket.create_server(("127.0.0.2", unanswering)) as second,
        calling("127.0.0.1", "127.0.0.2") as endpoint,
    ):
        threading.Thread(target=lambda: raw_response(second), daemon=True).start()
        response, took = timed(endpoint, post(f"http://two.example:{unanswering}/"))

    assert isinstance(response, HttpResponse)
    assert response.address == "127.0.0.2"
    assert SECONDS / 2 <= took < SECONDS


def raw_response(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65_536)
        connection.sendall(OK + b"Content-Length: 0\r\n\r\n")


def test_a_lookup_that_never_ends_ends_on_time() -> None:
    release = threading.Event()

    def resolve(_host: str, _port: None, **_kind: Any) -> list[tuple[Any, ...]]:
        release.wait(5)
        return []

    try:
        with EndpointClient(EgressGuard(LOOPBACK, resolve=resolve)) as endpoint:
            response, took = timed(endpoint, post("https://slow.example/"))
        assert_ended_on_time(response, took, during="resolving")
    finally:
        release.set()


def test_a_handshake_that_stalls_ends_on_time(endpoint: EndpointClient) -> None:
    with Receiver(greeting=mute) as receiver:
        response, took = timed(endpoint, post(f"https://127.0.0.1:{receiver.port}/"))

    assert_ended_on_time(response, took, during="handshake")


def test_a_handshake_that_drips_ends_on_time(endpoint: EndpointClient) -> None:
    # Given a server that sends the start of a long TLS record a byte at a time
    def trickle(connection: Connection) -> None:
        for byte in b"\x16\x03\x03\x40\x00" + b"\x02" * 1_000:
            connection.send(bytes([byte]))
            connection.wait(0.02)

    with Receiver(greeting=trickle) as receiver:
        response, took = timed(endpoint, post(f"https://127.0.0.1:{receiver.port}/"))

    assert_ended_on_time(response, took, during="handshake")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_slow_reader_of_our_request_ends_on_time(scheme: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    # Given a server that takes the request in sips, so that each waits a little and all take seconds
    def sip(connection: Connection) -> None:
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
        sock = server.wrap_socket(connection.sock, server_side=True) if scheme == "https" else connection.sock
        with sock:
            while not connection.stopping.is_set() and sock.recv(8_192):
                connection.wait(0.005)

    with Receiver(greeting=sip) as receiver, calling(ca_file=str(tmp_path / "ca.pem")) as endpoint:
        response, took = timed(endpoint, post(f"{scheme}://127.0.0.1:{receiver.port}/", b"x" * 20_000_000))

    assert_ended_on_time(response, took, during="sending")


@pytest.mark.parametrize(
    "script",
    [
        stall,
        drip(OK + b"X-Slow: " + b"y" * 1_000, every=0.02),
        drip(OK + b"Content-Length: 1000\r\n\r\n" + b"y" * 1_000, every=0.01),
        drip(OK + b"\r\n" + b"y" * 1_000, every=0.01),
        drip(OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\ny\r\n" * 1_000, every=0.01),
        drip(b"HTTP/1.1 103 Hints\r\n" + b"Link: x\r\n" * 1_000, every=0.005),
        raw(OK + b"Content-Length: 10\r\n\r\nabc", keep_open=True),
        raw(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", keep_open=True),
    ],
    ids=["never", "headers", "body", "body to the end", "chunks", "interim", "rest of body", "trailers"],
)
def test_a_response_that_is_late_in_any_part_ends_on_time(endpoint: EndpointClient, script: Script) -> None:
    with Receiver() as receiver:
        receiver.script(script)
        response, took = timed(endpoint, post(receiver.url))

    assert_ended_on_time(response, took, during="waiting for the answer")


def test_the_time_counts_from_the_start_also_on_a_reused_connection(endpoint: EndpointClient) -> None:
    with Receiver() as receiver:
        receiver.script(reply(200), stall)
        endpoint.send(post(receiver.url), seconds=SECONDS)
        time.sleep(SECONDS / 2)

        response, took = timed(endpoint, post(receiver.url))

        assert_ended_on_time(response, took, during="waiting for the answer")
        assert receiver.connections == 1


def test_no_time_at_all_is_a_deadline_and_not_an_error(endpoint: EndpointClient) -> None:
    response, _ = timed(endpoint, post("http://127.0.0.1:9/"), seconds=0)

    assert isinstance(response, NoResponse)
    assert response.reason is NoResponseReason.DEADLINE


def test_threads_and_sockets_are_all_freed_after_a_thousand_bad_deliveries() -> None:
    gc.collect()  # of garbage of earlier tests
    threads, files = threading.active_count(), open_files()

    # Given endpoints that are bad in every way
    with ExitStack() as stack:
        silent = stack.enter_context(Receiver(greeting=mute))
        bad = stack.enter_context(Receiver())
        bad.script(stall, path="/stall")
        bad.script(drip(OK, every=0.02), path="/drip")
        bad.script(raw(b"rubbish\r\n\r\n"), path="/rubbish")
        bad.script(endless(OK + b"\r\n", again=b"x" * 10_000), path="/endless")
        urls = [
            f"https://127.0.0.1:{silent.port}/",
            *(f"{bad.url}/{path}" for path in ("stall", "drip", "rubbish", "endless", "fine")),
            "http://127.0.0.1:1/",
            "https://10.0.0.1/",
        ]
        endpoint = stack.enter_context(calling())

        # When they get a thousand deliveries, 50 at a time, then each ends
        for first in range(0, 1_000, 50):
            requests = [post(urls[number % len(urls)]) for number in range(first, first + 50)]
            assert all(endpoint.send_each(requests, seconds=0.1))

        # Then the connections that wait for more are those of the good one, never more than were used at once
        kept = open_files()
        endpoint.close()
        assert kept - open_files() <= 50

    # And all is as it was before
    assert threading.active_count() <= threads
    assert open_files() <= files


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
