"""Strands: many at a time in one thread, over real sockets; and the same waits outside of them."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from math import inf
from pathlib import Path

import pytest

from webhooks.adapters.loading import LoadingCache
from webhooks.adapters.strands import READABLE, WRITABLE, Strands, await_ready, result_of

SOON = 0.05  # seconds
LATE = 5


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    with ExitStack() as stack:
        made = [socket.socketpair() for _ in range(20)]
        for sock in (sock for pair in made for sock in pair):
            stack.enter_context(sock)
        yield made


def in_a_strand(work):
    return Strands().map(lambda _: work(), [None])[0]


def aside(work):
    """Do work in the thread of a load."""
    return LoadingCache(lambda _: (work(), None), size=1, clock=time.time, name="aside").get("work")


def test_results_come_in_the_order_of_the_items():
    assert Strands().map(lambda item: item * 2, [3, 1, 2]) == [6, 2, 4]
    assert Strands().map(lambda item: item, []) == []


def test_all_wait_at_the_same_time_and_each_goes_on_when_its_own_socket_is_ready(pairs):
    order = []

    def talk(position):
        ours, _ = pairs[position]
        if position == 0:  # the last one to begin the chain: everybody else waits already
            order.append(position)
            pairs[1][1].send(b"x")
            return 0
        assert await_ready(ours, READABLE, LATE)
        order.append(position)
        if position + 1 < len(pairs):
            pairs[position + 1][1].send(b"x")
        return len(ours.recv(1))

    assert Strands().map(talk, [*range(1, len(pairs)), 0]) == [1] * (len(pairs) - 1) + [0]
    assert order == list(range(len(pairs)))


def test_what_one_raises_is_raised_once_all_have_ended():
    ended = []

    def work(item):
        if item == "bad":
            raise KeyError(item)
        with socket.socket() as idle:
            await_ready(idle, 0, SOON)
        ended.append(item)

    with pytest.raises(KeyError, match="bad"):
        Strands().map(work, ["good", "bad", "better"])
    assert ended == ["good", "better"]


@pytest.mark.parametrize("run", [in_a_strand, lambda work: work()], ids=["in a strand", "in a thread"])
def test_a_wait_ends_on_time_and_tells_so(pairs, run):
    ours, theirs = pairs[0]

    started = time.monotonic()
    assert run(lambda: await_ready(ours, READABLE, SOON)) is False
    assert SOON <= time.monotonic() - started < 1

    assert run(lambda: await_ready(ours, WRITABLE, LATE)) is True
    theirs.send(b"x")
    assert run(lambda: await_ready(ours, READABLE, LATE)) is True


def test_waits_of_different_lengths_end_in_their_order(pairs):
    ended = []

    def work(position):
        await_ready(pairs[position][0], READABLE, SOON * (position + 1))
        ended.append(position)

    Strands().map(work, [2, 0, 1])
    assert ended == [0, 1, 2]


@pytest.mark.parametrize("run", [in_a_strand, lambda work: work()], ids=["in a strand", "in a thread"])
def test_a_future_is_waited_for_no_longer_than_said(run):
    future: Future[str] = Future()
    with pytest.raises(TimeoutError):
        run(lambda: result_of(future, SOON))

    threading.Timer(SOON, future.set_result, ["done"]).start()
    assert run(lambda: result_of(future, LATE)) == "done"
    assert run(lambda: result_of(future, inf)) == "done"


def test_what_a_future_raises_is_raised():
    future: Future[None] = Future()
    future.set_exception(LookupError("gone"))
    with pytest.raises(LookupError, match="gone"):
        in_a_strand(lambda: result_of(future, LATE))


def test_a_future_that_is_done_too_late_wakes_nobody(pairs):
    future: Future[None] = Future()
    ours, theirs = pairs[0]

    def work():
        with pytest.raises(TimeoutError):
            result_of(future, SOON)
        future.set_result(None)  # rings for a wait that is over, while another one lasts
        return await_ready(ours, READABLE, SOON)

    assert in_a_strand(work) is False
    theirs.send(b"x")
    assert in_a_strand(lambda: await_ready(ours, READABLE, LATE)) is True


def test_work_that_blocks_is_done_aside_and_holds_nobody(pairs):
    go = threading.Event()

    def work(item):
        if item == "blocks":
            return aside(lambda: go.wait(LATE))
        go.set()
        return "goes on"

    assert Strands().map(work, ["blocks", "goes on"]) == [True, "goes on"]
    with pytest.raises(ZeroDivisionError):
        in_a_strand(lambda: aside(lambda: 1 / 0))


def test_a_descriptor_that_is_used_again_within_a_batch_is_waited_for_anew(pairs):
    def work(item):
        for _ in range(3):
            ours, theirs = socket.socketpair()
            with ours, theirs:
                theirs.send(b"x")
                assert await_ready(ours, READABLE, LATE)
        return item

    assert Strands().map(work, list(range(20))) == list(range(20))


def test_no_descriptor_and_no_thread_is_left_behind():
    Strands().map(lambda _: aside(lambda: None), [None] * 3)
    before = len(list(Path("/proc/self/fd").iterdir())), threading.active_count()
    for _ in range(50):
        Strands().map(lambda _: aside(lambda: None), [None] * 3)
    time.sleep(SOON)
    assert (len(list(Path("/proc/self/fd").iterdir())), threading.active_count()) == before
