"""Responses as hostile as they come: each is a response or a named reason, never an error, never without bounds."""

import gzip
import socket
import zlib

import pytest

from tests.calls import EndpointClient, post
from tests.receiver import Receiver, endless, raw, reply
from tests.receiver_scripts import Connection, Received
from webhooks.domain.http import HttpResponse, NoResponse, NoResponseReason

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", NoResponseReason.RESET),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/pl", NoResponseReason.RESET),
        (OK + b"Content-Length: 10\r\n\r\nabc", NoResponseReason.RESET),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", NoResponseReason.RESET),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", NoResponseReason.MALFORMED),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", NoResponseReason.MALFORMED),
        (b"HTTP/1.1 0 Zero\r\n\r\n", NoResponseReason.MALFORMED),
        (b"HTTP/1.1 99 Low\r\n\r\n", NoResponseReason.MALFORMED),
        (b"HTTP/1.1 1000 High\r\n\r\n", NoResponseReason.MALFORMED),
        (b"HTTP/1.1 abc\r\n\r\n", NoResponseReason.MALFORMED),
        (b"HTTP/2.0 200 OK\r\n\r\n", NoResponseReason.MALFORMED),
        (b"HTTP/1.1\r\n\r\n", NoResponseReason.MALFORMED),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n", NoResponseReason.MALFORMED),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nab\r\n", NoResponseReason.MALFORMED),
        (OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n", NoResponseReason.MALFORMED),
        (b"y" * 70_000, NoResponseReason.MALFORMED),
    ],
)
def test_an_incomplete_response_is_named(
    endpoint: EndpointClient, receiver: Receiver, data: bytes, reason: NoResponseReason
) -> None:
    receiver.script(raw(data, keep_open=reason is NoResponseReason.MALFORMED))

    response = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(response, NoResponse), response
    assert response.reason is reason


@pytest.mark.parametrize(
    ("data", "status", "excerpt"),
    [
        (b"HTTP/1.1 999\r\nContent-Length: 0\r\n\r\n", 999, ""),
        (
            b"HTTP/1.1 200 \xff\xfe\r\nX: \xff\r\nContent-Length: 2\r\n\r\n\xffk",
            200,
            "\N{REPLACEMENT CHARACTER}k",
        ),
        (b"HTTP/1.0 200 OK\r\n\r\nold", 200, "old"),
        (b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello", 204, ""),
        (b"HTTP/1.1 100 Go\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok", 200, "ok"),
        (b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" * 3 + OK + b"Content-Length: 2\r\n\r\nok", 200, "ok"),
        (b"HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\n\x00\x01", 101, ""),
    ],
)
def test_an_odd_response_is_still_a_response(
    endpoint: EndpointClient, receiver: Receiver, data: bytes, status: int, excerpt: str
) -> None:
    receiver.script(raw(data))

    response = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(response, HttpResponse), response
    assert (response.status, response.excerpt) == (status, excerpt)


FRAMED = b"Content-Length: 2"
CHUNKED = b"Transfer-Encoding: chunked"
BODIES = {FRAMED: b"ok", CHUNKED: b"2\r\nok\r\n0\r\n\r\n"}


@pytest.mark.parametrize("framing", [FRAMED, CHUNKED])
@pytest.mark.parametrize(
    "before",
    [
        pytest.param(b"", id="nothing"),
        # python/cpython#131724: Outlook 365 and Akamai send more than a hundred
        *(pytest.param(b"Set-Cookie: a=b; Path=/\r\n" * n, id=f"{n} lines") for n in (99, 100, 120, 900)),
        pytest.param(b"X: y\r\n" * 4_500, id="4,500 lines"),
        pytest.param("Überschrift: x\r\n".encode(), id="a name that is not ASCII"),  # python/cpython#81274
        pytest.param(b"\xef\xbb\xbfX: y\r\n", id="a byte order mark"),
        pytest.param(b"X:" + b"\t" * 4_000 + b"\r\n", id="blanks"),
        pytest.param(b"X: y\r\n folded: z\r\n", id="a folded line"),
    ],
)
def test_a_framed_response_ends_with_its_last_byte_for_any_headers(
    endpoint: EndpointClient, receiver: Receiver, before: bytes, framing: bytes
) -> None:
    # Given an endpoint that keeps its connection open
    receiver.script(raw(OK + before + framing + b"\r\n\r\n" + BODIES[framing], keep_open=True))

    response = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(response, HttpResponse), response
    assert (response.status, response.excerpt) == (200, "ok")
    assert response.latency_ms < 1_000


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 2 ",
        b"Content-Length:2",
        b"Content-Length: 2\r\nContent-Length: 2",
        b"Transfer-Encoding: chunked ",
        b"Transfer-Encoding: Chunked\t",
    ],
)
def test_framing_is_read_as_rfc_9110_and_9112_say(
    endpoint: EndpointClient, receiver: Receiver, head: bytes
) -> None:
    body = BODIES[FRAMED if b"Length" in head else CHUNKED]
    receiver.script(raw(OK + head + b"\r\n\r\n" + body, keep_open=True))

    response = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(response, HttpResponse), response
    assert (response.status, response.excerpt) == (200, "ok")


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 2\r\nContent-Length: 3",
        b"Content-Length: 2, 3",
        b"Content-Length: -1",
        b"Content-Length: two",
        b"Content-Length: +2",
        b"Transfer-Encoding: gzip",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"no colon\r\nContent-Length: 2",
        b"X: \x00\r\nContent-Length: 2",
    ],
)
def test_unreadable_framing_is_malformed_at_once(
    endpoint: EndpointClient, receiver: Receiver, head: bytes
) -> None:
    receiver.script(raw(OK + head + b"\r\n\r\nok", keep_open=True))

    response = endpoint.send(post(receiver.url), seconds=5)

    assert isinstance(response, NoResponse), response
    assert response.reason is NoResponseReason.MALFORMED
    assert response.latency_ms < 1_000


def test_a_doubled_content_length_is_never_waited_for(endpoint: EndpointClient, receiver: Receiver) -> None:
    # RFC 9110, 8.6: refused, or taken for one
    receiver.script(raw(OK + b"Content-Length: 2, 2\r\n\r\nok", keep_open=True))

    response = endpoint.send(post(receiver.url), seconds=5)

    assert response.latency_ms < 1_000
    assert isinstance(response, HttpResponse) or response.reason is NoResponseReason.MALFORMED


@pytest.mark.parametrize(("count", "is_response"), [(5, True), (6, False)])
def test_interim_responses_are_bounded_in_number(
    endpoint: EndpointClient, receiver: Receiver, count: int, is_response: bool
) -> None:
    interim = b"HTTP/1.1 102 Processing\r\n\r\n" * count
    receiver.script(raw(interim + OK + b"Content-Length: 2\r\n\r\nok", keep_open=True))

    response = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(response, HttpResponse) is is_response
    assert isinstance(response, HttpResponse) or "interim" in response.detail


@pytest.mark.parametrize(("size", "is_response"), [(65_536, True), (65_537, False)])
def test_headers_are_read_up_to_64_kibibytes(
    endpoint: EndpointClient, receiver: Receiver, size: int, is_response: bool
) -> None:
    end = b"\r\nContent-Length: 0\r\n\r\n"
    receiver.script(raw(OK + b"X: " + b"y" * (size - len(OK) - 3 - len(end)) + end, keep_open=True))

    response = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(response, HttpResponse) is is_response
    assert isinstance(response, HttpResponse) or response.detail == "its headers are too long"


@pytest.mark.parametrize(("size", "connections"), [(65_536, 1), (65_537, 2)])
def test_headers_and_body_are_read_up_to_64_kibibytes_together(
    endpoint: EndpointClient, receiver: Receiver, size: int, connections: int
) -> None:
    head = OK + b"Content-Length: 65000\r\nX: "
    answered = head + b"y" * (size - len(head) - 4 - 65_000) + b"\r\n\r\n" + b"x" * 65_000

    def twice(connection: Connection, _received: Received) -> bool:
        connection.send(answered)
        return True

    receiver.script(twice)
    for _ in range(2):
        response = endpoint.send(post(receiver.url), seconds=5)
        assert isinstance(response, HttpResponse)
        assert (response.status, response.excerpt) == (200, "x" * 1_024)

    # A longer one is a response all the same, but its connection is not used again: the rest is on it
    assert receiver.connections == connections


def test_a_switch_of_protocols_is_a_response_and_ends_the_attempt(
    endpoint: EndpointClient, receiver: Receiver
) -> None:
    receiver.script(raw(b"HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\n\x00\x01", keep_open=True))

    response = endpoint.send(post(receiver.url), seconds=5)

    assert isinstance(response, HttpResponse)
    assert (response.status, response.excerpt) == (101, "")
    assert response.latency_ms < 1_000


@pytest.mark.parametrize(
    ("head", "again", "reason"),
    [
        (OK, b"X: y\r\n", NoResponseReason.MALFORMED),
        (b"", b"HTTP/1.1 103 Hints\r\n\r\n", NoResponseReason.MALFORMED),
        (b"", b"HTTP/1.1 100 Go\r\n\r\n", NoResponseReason.MALFORMED),
        (b"", b"\x00" * 1_000, NoResponseReason.MALFORMED),
    ],
)
def test_headers_without_an_end_are_cut_off(
    endpoint: EndpointClient, receiver: Receiver, head: bytes, again: bytes, reason: NoResponseReason
) -> None:
    receiver.script(endless(head, again=again))

    response = endpoint.send(post(receiver.url), seconds=5)

    assert isinstance(response, NoResponse)
    assert response.reason is reason
    assert response.latency_ms < 4_000


@pytest.mark.parametrize(
    ("head", "again"),
    [
        (OK + b"\r\n", b"x" * 10_000),
        (OK + b"Content-Length: 99999999999999999999\r\n\r\n", b"x" * 10_000),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1_000),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", b"x" * 10_000),
    ],
)
def test_a_body_without_an_end_is_cut_off_and_is_a_response(
    endpoint: EndpointClient, receiver: Receiver, head: bytes, again: bytes
) -> None:
    receiver.script(endless(head, again=again))

    response = endpoint.send(post(receiver.url), seconds=5)

    assert isinstance(response, HttpResponse)
    assert (response.status, response.excerpt) == (200, "x" * 1_024)
    assert response.latency_ms < 4_000


@pytest.mark.parametrize("before", [b"", b"1;a=b\r\nx\r\n"])
def test_a_chunk_extension_without_an_end_is_cut_off(
    endpoint: EndpointClient, receiver: Receiver, before: bytes
) -> None:
    """libcurl skips it, so that neither a header nor a piece of a body tells of it."""
    sent = []

    def flood(connection: Connection, _received: Received) -> bool:
        connection.send(OK + CHUNKED + b"\r\n\r\n" + before + b"1;")
        while not connection.stopping.is_set():
            connection.send(b"y" * 10_000)
            sent.append(10_000)
        return False

    receiver.script(flood)

    response = endpoint.send(post(receiver.url), seconds=30)
    receiver.wait_until_closed()

    assert isinstance(response, HttpResponse)
    assert (response.status, response.excerpt) == (200, "x" if before else "")
    assert sum(sent) < 20_000_000  # buffers of the system; without the limit gigabytes in 30 s


def test_a_handle_that_cut_a_response_off_reads_the_next_ones(
    endpoint: EndpointClient, receiver: Receiver
) -> None:
    chunked = OK + CHUNKED + b"\r\n\r\n"
    receiver.script(
        endless(chunked + b"1;", again=b"y" * 10_000),
        raw(chunked + b"2;a=b\r\nok\r\n0\r\n\r\n"),
        reply(500, b"plain " + b"x" * 50_000),
    )

    responses = [endpoint.send(post(receiver.url), seconds=5) for _ in range(3)]

    assert [str(getattr(each, "excerpt", each))[:5] for each in responses] == ["", "ok", "plain"]


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("gzip", gzip.compress(b"a" * 10_000_000)), ("deflate", zlib.compress(b"a" * 10_000_000))],
)
def test_a_compressed_body_is_unpacked_up_to_the_limit(
    endpoint: EndpointClient, receiver: Receiver, encoding: str, packed: bytes
) -> None:
    receiver.script(reply(500, packed, headers={"Content-Encoding": encoding}))

    response = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(response, HttpResponse)
    assert response.excerpt == "a" * 1_024
    assert receiver.requests[0].header("Accept-Encoding") == "identity"


@pytest.mark.parametrize("length", [64, 65])
def test_retry_after_is_read_up_to_64_characters(
    endpoint: EndpointClient, receiver: Receiver, length: int
) -> None:
    value = "1" * (length - 1) + "2"
    receiver.script(reply(503, headers={"Retry-After": value}))

    response = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(response, HttpResponse)
    assert response.retry_after == value[:64]


def test_a_body_with_a_false_content_encoding_stays_unchanged(
    endpoint: EndpointClient, receiver: Receiver
) -> None:
    receiver.script(reply(500, b"plain", headers={"Content-Encoding": "gzip"}))

    response = endpoint.send(post(receiver.url), seconds=2)

    assert isinstance(response, HttpResponse)
    assert response.excerpt == "plain"


def test_the_excerpt_is_at_most_a_kibibyte_of_utf8(endpoint: EndpointClient, receiver: Receiver) -> None:
    receiver.script(
        reply(500, b"\xff" * 2_000), reply(500, "é".encode() * 2_000), reply(500, b"a" + "é".encode() * 999)
    )

    for _ in range(3):
        response = endpoint.send(post(receiver.url), seconds=2)
        assert isinstance(response, HttpResponse)
        assert 1_000 < len(response.excerpt.encode()) <= 1_024


def test_an_early_refusal_of_a_long_body_is_read(endpoint: EndpointClient, receiver: Receiver) -> None:
    # Given a server that answers as soon as it has seen the headers, and closes
    def refuse_unread(connection: Connection) -> None:
        while b"\r\n\r\n" not in connection.unread:
            connection.unread += connection.sock.recv(4_096)
        connection.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.sock.shutdown(socket.SHUT_WR)
        while connection.sock.recv(65_536):
            pass

    with Receiver(greeting=refuse_unread) as strict:
        response = endpoint.send(post(strict.url, b"x" * 1_000_000), seconds=2)

    assert isinstance(response, HttpResponse)
    assert response.status == 413


@pytest.mark.parametrize("size", [10_000, 200_000, 1_000_000])
def test_an_early_refusal_on_a_reset_connection_is_read(endpoint: EndpointClient, size: int) -> None:
    # Given a server that answers as soon as it has seen the headers, and closes with the body unread
    def refuse_and_reset(connection: Connection) -> None:
        while b"\r\n\r\n" not in connection.unread:
            connection.unread += connection.sock.recv(512)
        connection.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        connection.wait(0.01)
        connection.reset()

    with Receiver(greeting=refuse_and_reset) as strict:
        responses = [endpoint.send(post(strict.url, b"x" * size), seconds=2) for _ in range(10)]

    assert [getattr(response, "status", response) for response in responses] == [413] * 10
