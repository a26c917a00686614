"""The local stack's pollers hold back a batch as Lambda does: until it is full, or its window is over."""

from collections import defaultdict
from typing import Any

import pytest

from local.batching_window import Windows

QUEUE, OTHER = "http://queue/events", "http://queue/slow"


class Queues:
    """Queues of messages, an own clock, and the times at which the poller was asked to look again."""

    def __init__(self, window: int) -> None:
        self.now = 100.0
        self.waiting: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.wakes: list[float] = []
        self.windows = Windows(
            self._receive,
            window_of=lambda url: window if url == QUEUE else 0,
            wake=lambda seconds: self.wakes.append(self.now + seconds),
            clock=lambda: self.now,
        )

    def put(self, *ids: str, url: str = QUEUE) -> None:
        self.waiting[url] += [{"id": each} for each in ids]

    def poll(self, *, url: str = QUEUE, size: int = 10) -> list[str]:
        return [each["id"] for each in self.windows(url, size)]

    def _receive(self, url: str, size: int) -> list[dict[str, Any]]:
        taken, self.waiting[url] = self.waiting[url][:size], self.waiting[url][size:]
        return taken


def test_without_a_window_a_batch_is_what_is_there() -> None:
    queues = Queues(0)
    assert queues.poll() == []
    queues.put("a", "b")
    assert queues.poll() == ["a", "b"]
    assert queues.wakes == []


def test_a_batch_waits_from_its_first_message_to_the_end_of_the_window() -> None:
    queues = Queues(2)
    queues.now += 50  # the queue was empty for long: the window has not begun
    queues.put("a")
    assert queues.poll() == []
    queues.now += 1.9
    queues.put("b")
    assert queues.poll() == []
    assert queues.wakes == pytest.approx([152, 152])
    queues.now += 0.1
    queues.put("c")
    assert queues.poll() == ["a", "b", "c"]
    assert queues.poll() == []
    queues.put("d")
    assert queues.poll() == []  # a window of its own


def test_a_full_batch_does_not_wait_and_the_rest_begins_the_next_one() -> None:
    queues = Queues(5)
    queues.put(*"abc")
    assert queues.poll(size=4) == []
    queues.put(*"defgh")
    assert queues.poll(size=4) == ["a", "b", "c", "d"]
    assert queues.poll(size=4) == ["e", "f", "g", "h"]
    assert queues.poll(size=4) == []


def test_queues_wait_apart() -> None:
    queues = Queues(5)
    queues.put("a")
    queues.put("s", url=OTHER)
    assert queues.poll() == []
    assert queues.poll(url=OTHER) == ["s"]
    queues.now += 5
    assert queues.poll() == ["a"]


def test_a_message_that_is_received_again_while_it_waits_is_in_the_batch_once() -> None:
    queues = Queues(5)
    queues.put("a", "b")
    assert queues.poll() == []
    queues.put("a")  # its visibility timeout was shorter than the window
    queues.now += 5
    assert queues.poll() == ["a", "b"]
