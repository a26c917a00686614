"""Many exchanges at a time in one thread: each is a strand, a greenlet that lets others go on while it waits.

Threads would cost more to switch between than an exchange itself does. What is called here waits in the same
way outside of a strand, by blocking its thread; so nothing else need know where it runs.
"""

import select
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Any, cast

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

type Socket = socket.socket

READABLE = select.POLLIN | select.POLLPRI
WRITABLE = select.POLLOUT


class Strands:
    """Does a batch's work at the same time, in the thread that asks for it."""

    def map[T, R](self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Return what the work returns for each item, in their order. Raises what it raised for the first."""
        results: list[tuple[R | None, BaseException | None]] = [(None, None)] * len(items)

        def do(position: int) -> None:
            try:
                results[position] = work(items[position]), None
            except BaseException as error:  # noqa: BLE001 - it is raised where the work was given
                results[position] = None, error

        _Loop(do).run(len(items))
        for _, error in results:
            if error is not None:
                raise error
        return [cast("R", result) for result, _ in results]


def await_ready(sock: Socket, events: int, seconds: float) -> bool:
    """Wait until a socket is READABLE or WRITABLE; False where the time is up before."""
    strand = getcurrent()
    if isinstance(strand, _Strand):
        return strand.loop.await_ready(strand, sock.fileno(), events=events, seconds=seconds)
    poll = select.poll()
    poll.register(sock, events)
    return bool(poll.poll(seconds * 1000))


def result_of[T](future: Future[T], seconds: float) -> T:
    """Return a future's result. Raises TimeoutError where the time is up before, and what the future does."""
    strand = getcurrent()
    if not isinstance(strand, _Strand):
        return future.result(None if seconds == inf else seconds)
    strand.loop.await_future(strand, future, seconds=seconds)
    return future.result(0)


class _Strand(greenlet):  # type: ignore[misc]  # it has no types
    def __init__(self, loop: "_Loop") -> None:
        super().__init__(loop.work)
        self.loop = loop


@dataclass(slots=True, eq=False)
class _Wait:
    """What a strand waits for: a socket, by its descriptor, or somebody to ring for it."""

    strand: _Strand
    descriptor: int | None = None
    is_over: bool = False


@dataclass(slots=True)
class _Loop:
    """The strands of one batch. The greenlet that makes it runs it, and is the parent of all."""

    work: Callable[[int], None]
    poll: select.poll = field(default_factory=select.poll)
    waiting: dict[int, _Wait] = field(default_factory=dict)  # by descriptor
    timers: list[tuple[float, int, _Wait]] = field(default_factory=list)  # those that are over stay a while
    order: "count[int]" = field(default_factory=count)
    bell: "_Bell | None" = None

    def run(self, strands: int) -> None:
        """Run so many strands to their ends."""
        running = [_Strand(self) for _ in range(strands)]
        for position, strand in enumerate(running):
            strand.switch(position)
        try:
            while not all(strand.dead for strand in running):
                self._turn()
        finally:
            if self.bell is not None:
                self.bell.close()

    def await_ready(self, strand: _Strand, descriptor: int, *, events: int, seconds: float) -> bool:
        """Let the others go on until the descriptor is ready or the time is up."""
        wait = self.waiting[descriptor] = _Wait(strand, descriptor)
        self.poll.register(descriptor, events)
        return self._await(wait, seconds)

    def await_future(self, strand: _Strand, future: Future[Any], *, seconds: float) -> bool:
        """Let the others go on until the future is done or the time is up."""
        if self.bell is None:
            self.bell = _Bell()
            self.poll.register(self.bell.socket, READABLE)
        wait, bell = _Wait(strand), self.bell
        future.add_done_callback(lambda _: bell.ring(wait))
        return self._await(wait, seconds)

    def _await(self, wait: _Wait, seconds: float) -> bool:
        if seconds != inf:
            heappush(self.timers, (time.monotonic() + seconds, next(self.order), wait))
        return bool(wait.strand.parent.switch())

    def _turn(self) -> None:
        """Wait until something happens, and let those go on whom it is for."""
        while self.timers and self.timers[0][2].is_over:
            heappop(self.timers)
        left = max(0.0, self.timers[0][0] - time.monotonic()) * 1000 if self.timers else None
        ready = [self.waiting.get(descriptor) for descriptor, _ in self.poll.poll(left)]
        for wait in ready:
            if wait is not None:
                self._resume(wait, is_ready=True)
            elif self.bell is not None:
                for rung in self.bell.heard():
                    self._resume(rung, is_ready=True)
        now = time.monotonic()
        while self.timers and self.timers[0][0] <= now:
            self._resume(heappop(self.timers)[2], is_ready=False)

    def _resume(self, wait: _Wait, *, is_ready: bool) -> None:
        if wait.is_over:
            return
        wait.is_over = True
        if wait.descriptor is not None:
            self.poll.unregister(wait.descriptor)
            del self.waiting[wait.descriptor]
        wait.strand.switch(is_ready)


class _Bell:
    """Rung by other threads: a socket that is readable then, and for whom it was rung."""

    def __init__(self) -> None:
        self.socket, self._far_end = socket.socketpair()
        self.socket.setblocking(False)
        self._far_end.setblocking(False)
        self._rung: deque[_Wait] = deque()

    def ring(self, wait: _Wait) -> None:
        """Say that a wait is over. Thread-safe; nobody hears it any more once the batch has ended."""
        self._rung.append(wait)
        with suppress(OSError):  # closed, or so full that it is heard anyway
            self._far_end.send(b"!")

    def heard(self) -> list[_Wait]:
        """Return whom it was rung for since it was asked last."""
        self.socket.recv(4096)
        return [self._rung.popleft() for _ in range(len(self._rung))]

    def close(self) -> None:
        """Close both ends."""
        self.socket.close()
        self._far_end.close()
