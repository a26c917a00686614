"""Answers as hostile as they come: each is an answer or a named reason, never an error, never without bounds."""

import gzip
import socket
import zlib

import pytest

from tests.calls import calling, post
from tests.receiver import Receiver, endless, raw, reply
from webhooks.domain.exchange import Answer, NoAnswer, NoAnswerReason


@pytest.fixture
def endpoint():
    with calling() as endpoint:
        yield endpoint


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", NoAnswerReason.RESET),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/pl", NoAnswerReason.RESET),
        (OK + b"Content-Length: 10\r\n\r\nabc", NoAnswerReason.RESET),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", NoAnswerReason.RESET),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", NoAnswerReason.MALFORMED),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", NoAnswerReason.MALFORMED),
        (b"HTTP/1.1 0 Zero\r\n\r\n", NoAnswerReason.MALFORMED),
        (b"HTTP/1.1 99 Low\r\n\r\n", NoAnswerReason.MALFORMED),
        (b"HTTP/1.1 1000 High\r\n\r\n", NoAnswerReason.MALFORMED),
        (b"HTTP/1.1 abc\r\n\r\n", NoAnswerReason.MALFORMED),
        (b"HTTP/2.0 200 OK\r\n\r\n", NoAnswerReason.MALFORMED),
        (b"HTTP/1.1\r\n\r\n", NoAnswerReason.MALFORMED),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n", NoAnswerReason.MALFORMED),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nab\r\n", NoAnswerReason.MALFORMED),
        (OK + b"".join(b"X-%d: y\r\n" % number for number in range(200)) + b"\r\n", NoAnswerReason.MALFORMED),
        (OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n", NoAnswerReason.MALFORMED),
        (b"y" * 70_000, NoAnswerReason.MALFORMED),
    ],
)
def test_what_is_no_whole_http_answer_is_named(endpoint, receiver, data, reason):
    receiver.script(raw(data, keep_open=reason is NoAnswerReason.MALFORMED))

    answer = endpoint.exchange(post(receiver.url), seconds=2)

    assert isinstance(answer, NoAnswer), answer
    assert answer.reason is reason


@pytest.mark.parametrize(
    ("data", "status", "excerpt"),
    [
        (b"HTTP/1.1 999\r\nContent-Length: 0\r\n\r\n", 999, ""),
        (
            b"HTTP/1.1 200 \xff\xfe\r\nX: \xff\x00\r\nContent-Length: 2\r\n\r\n\xffk",
            200,
            "\N{REPLACEMENT CHARACTER}k",
        ),
        (b"HTTP/1.0 200 OK\r\n\r\nold", 200, "old"),
        (OK + b"no colon\r\n folded\r\n: no name\r\nContent-Length: 2\r\n\r\nok", 200, "ok"),
        (OK + b"Content-Length: -1\r\n\r\nok", 200, "ok"),
        (OK + b"Content-Length: two\r\n\r\nok", 200, "ok"),
        (b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello", 204, ""),
        (b"HTTP/1.1 100 Go\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok", 200, "ok"),
        (b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" * 3 + OK + b"Content-Length: 2\r\n\r\nok", 200, "ok"),
        (b"HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\n\x00\x01", 101, ""),
    ],
)
def test_an_odd_answer_is_still_an_answer(endpoint, receiver, data, status, excerpt):
    receiver.script(raw(data))

    answer = endpoint.exchange(post(receiver.url), seconds=2)

    assert isinstance(answer, Answer), answer
    assert (answer.status, answer.excerpt) == (status, excerpt)


@pytest.mark.parametrize(
    ("head", "again", "reason"),
    [
        (OK, b"X: y\r\n", NoAnswerReason.MALFORMED),
        (b"", b"HTTP/1.1 103 Hints\r\n\r\n", NoAnswerReason.MALFORMED),
        (b"", b"HTTP/1.1 100 Go\r\n\r\n", NoAnswerReason.MALFORMED),
        (b"", b"\x00" * 1_000, NoAnswerReason.MALFORMED),
    ],
)
def test_headers_without_an_end_are_cut_off(endpoint, receiver, head, again, reason):
    receiver.script(endless(head, again=again))

    answer = endpoint.exchange(post(receiver.url), seconds=5)

    assert isinstance(answer, NoAnswer)
    assert answer.reason is reason
    assert answer.latency_ms < 4_000


@pytest.mark.parametrize(
    ("head", "again"),
    [
        (OK + b"\r\n", b"x" * 10_000),
        (OK + b"Content-Length: 99999999999999999999\r\n\r\n", b"x" * 10_000),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1_000),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", b"x" * 10_000),
    ],
)
def test_a_body_without_an_end_is_cut_off_and_is_an_answer(endpoint, receiver, head, again):
    receiver.script(endless(head, again=again))

    answer = endpoint.exchange(post(receiver.url), seconds=5)

    assert isinstance(answer, Answer)
    assert (answer.status, answer.excerpt) == (200, "x" * 1_024)
    assert answer.latency_ms < 4_000


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("gzip", gzip.compress(b"a" * 10_000_000)), ("deflate", zlib.compress(b"a" * 10_000_000))],
)
def test_a_packed_body_is_unpacked_no_further_than_the_limit(endpoint, receiver, encoding, packed):
    receiver.script(reply(500, packed, headers={"Content-Encoding": encoding}))

    answer = endpoint.exchange(post(receiver.url), seconds=2)

    assert isinstance(answer, Answer)
    assert answer.excerpt == "a" * 1_024
    assert receiver.requests[0].header("Accept-Encoding") == "identity"


def test_a_body_that_is_not_packed_as_it_says_is_kept_as_it_is(endpoint, receiver):
    receiver.script(reply(500, b"plain", headers={"Content-Encoding": "gzip"}))

    answer = endpoint.exchange(post(receiver.url), seconds=2)

    assert isinstance(answer, Answer)
    assert answer.excerpt == "plain"


def test_the_excerpt_is_at_most_a_kibibyte_of_utf8(endpoint, receiver):
    receiver.script(
        reply(500, b"\xff" * 2_000), reply(500, "é".encode() * 2_000), reply(500, b"a" + "é".encode() * 999)
    )

    for _ in range(3):
        answer = endpoint.exchange(post(receiver.url), seconds=2)
        assert isinstance(answer, Answer)
        assert 1_000 < len(answer.excerpt.encode()) <= 1_024


def test_an_early_no_to_a_long_body_is_read(endpoint, receiver):
    # Given a server that answers as soon as it has seen the headers, and closes
    def refuse_unread(conversation):
        while b"\r\n\r\n" not in conversation.unread:
            conversation.unread += conversation.sock.recv(4_096)
        conversation.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        conversation.sock.shutdown(socket.SHUT_WR)
        while conversation.sock.recv(65_536):
            pass

    with Receiver(greeting=refuse_unread) as strict:
        answer = endpoint.exchange(post(strict.url, b"x" * 1_000_000), seconds=2)

    assert isinstance(answer, Answer)
    assert answer.status == 413
