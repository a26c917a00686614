"""The socket that ends on time, alone: each wait may be short, all of them together may not be long."""

import socket
import threading
import time

import pytest

from webhooks.adapters.deadline import Deadline, DeadlineError
from webhooks.adapters.wire import ANSWER_BYTES, Wire

SECONDS = 0.4
LATE = 0.1


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        yield ours, theirs


def test_sending_to_who_takes_little_by_little_ends_on_time(pair):
    ours, theirs = pair
    wire = Wire(ours, Deadline(SECONDS))
    stop, taken = threading.Event(), []

    def sip():
        while not stop.wait(0.01):
            taken.append(len(theirs.recv(2_048)))

    sipping = threading.Thread(target=sip)
    sipping.start()
    started = time.monotonic()
    try:
        with pytest.raises((DeadlineError, TimeoutError)):
            wire.sendall(b"x" * 10_000_000)
        took = time.monotonic() - started
    finally:
        stop.set()
        sipping.join()

    assert len(taken) > 10
    assert abs(took - SECONDS) < LATE


def test_no_more_is_read_than_an_answer_may_have(pair):
    ours, theirs = pair
    wire = Wire(ours, Deadline(2))
    sending = threading.Thread(target=lambda: theirs.sendall(b"x" * (ANSWER_BYTES + 1)))
    sending.start()

    read = wire.makefile("rb").read(ANSWER_BYTES * 2)

    assert len(read) == ANSWER_BYTES
    assert wire.cut
    assert ours.recv(10) == b"x"
    sending.join()


def test_the_next_answer_may_be_as_long_again(pair):
    ours, theirs = pair
    wire = Wire(ours, Deadline(2))
    for _ in range(3):
        wire.arm(Deadline(2))
        sending = threading.Thread(target=lambda: theirs.sendall(b"x" * 50_000))
        sending.start()
        assert len(wire.makefile("rb").read(50_000)) == 50_000
        assert wire.is_clean
        sending.join()


def test_what_was_read_ahead_makes_a_connection_unclean(pair):
    ours, theirs = pair
    wire = Wire(ours, Deadline(2))
    theirs.sendall(b"answer and more")

    assert wire.makefile("rb").read(6) == b"answer"
    assert not wire.is_clean


@pytest.mark.parametrize("half", [True, False], ids=["closed", "sent"])
def test_a_peer_that_closed_or_spoke_makes_a_connection_unclean(pair, half):
    ours, theirs = pair
    wire = Wire(ours, Deadline(2))
    assert wire.is_clean

    theirs.shutdown(socket.SHUT_WR) if half else theirs.sendall(b"x")

    assert not wire.is_clean


def test_waiting_for_a_plain_socket_to_be_read_costs_no_cpu(pair):
    ours, theirs = pair
    wire = Wire(ours, Deadline(5))
    threading.Timer(0.3, theirs.send, [b"x"]).start()
    started = time.thread_time()

    assert wire.receive_into(memoryview(bytearray(8))) == 1

    assert time.thread_time() - started < 0.1
