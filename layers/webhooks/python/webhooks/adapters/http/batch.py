"""The conversations of one batch, led at the same time by one thread.

Each call has one deadline: this module keeps it while a host is looked up (by a thread of the resolver) and
while a conversation waits for a shared call; from the connection on libcurl keeps it.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import cast

from webhooks.adapters.http.egress_guard import (
    EgressGuard,
    EgressRefusedError,
    HostUnresolvedError,
    Lookup,
    Target,
)
from webhooks.adapters.http.failures import Phase
from webhooks.adapters.http.transfer import Transfer
from webhooks.adapters.http.transfers import Transfers
from webhooks.domain.http import HttpOutcome, NoResponse, NoResponseReason
from webhooks.ports import Call, Clock, Conversation, Shared


@dataclass(slots=True, eq=False)
class RunningCall:
    """A call under way, and the conversations that wait for it. `since` and `until` are monotonic."""

    call: Call
    since: float
    until: float
    began_at: float
    waiting: list["_Waiter"] = field(default_factory=list)
    lookup: Lookup | None = None
    transfer: Transfer | None = None
    is_over: bool = False


@dataclass(slots=True, eq=False)
class _Waiter:
    """A conversation: `go_on` gives it the outcome of its call."""

    since: float
    running: RunningCall
    go_on: Callable[[HttpOutcome | Exception], None]
    is_over: bool = False


class Batch[R]:
    """The conversations of one `send_all`. `shared`: calls that others may join, of earlier batches too.

    `abandon`: ends all calls where the batch is left before its end.
    """

    def __init__(
        self,
        guard: EgressGuard,
        transfers: Transfers,
        shared: dict[Hashable, RunningCall],
        conversations: Sequence[Conversation[R]],
        *,
        clock: Clock,
        abandon: Callable[[], None],
    ) -> None:
        self._abandon = abandon
        self._clock = clock
        self._guard = guard
        self._transfers = transfers
        self._shared = shared
        self._conversations = conversations
        self._open = len(conversations)
        # Their lookups have ended: filled by the resolver's threads.
        self._found: deque[RunningCall] = deque()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._results: list[R] = []

    def lead(self, pause: float) -> Iterator[Sequence[R]]:
        """Lead all conversations to their ends; give their results as `HttpClient.send_all` says."""
        try:
            yield from self._lead(pause)
        except BaseException:  # some calls are left, and no conversation waits for them
            self._abandon()
            raise
        for running in list(self._shared.values()):
            if running.transfer is None:  # its host is being looked up; all others go on with the next batch
                running.is_over = True
                self._forget(running)

    def _lead(self, pause: float) -> Iterator[Sequence[R]]:
        for conversation in self._conversations:
            self._go_on(conversation, None)
        due = time.monotonic() + pause
        while True:
            now = time.monotonic()
            if self._results or now >= due:
                due = due if now < due else now + pause
                results, self._results = self._results, []
                yield results
            if not self._open:
                break
            first = min(due, self._timers[0][0]) if self._timers else due
            self._transfers.wait(None if first == math.inf else first)
            while self._found:
                self._try_step(self._found.popleft(), self._connect)
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                heappop(self._timers)[2]()

    def _at(self, when: float, action: Callable[[], None]) -> None:
        heappush(self._timers, (when, next(self._order), action))

    def _go_on(self, conversation: Conversation[R], outcome: HttpOutcome | Exception | None) -> None:
        """Give a conversation the outcome of its call, and begin the next one."""
        try:
            if isinstance(outcome, Exception):
                call = conversation.throw(outcome)
            else:
                call = conversation.send(cast("HttpOutcome", outcome))
        except StopIteration as end:
            self._results.append(end.value)
            self._open -= 1
        else:
            self._begin(conversation, call)

    def _begin(self, conversation: Conversation[R], call: Call) -> None:
        now = time.monotonic()
        running = None if call.shared is None else self._joined(call.shared)
        is_new = running is None
        if running is None:
            seconds = call.seconds if call.shared is None else call.shared.seconds
            running = RunningCall(call, now, now + seconds, began_at=self._clock())
        waiter = _Waiter(now, running, lambda outcome: self._go_on(conversation, outcome))
        running.waiting.append(waiter)
        if call.shared is not None:
            self._shared[call.shared.key] = running
            self._at(now + call.seconds, lambda: self._leave(waiter))
        if is_new:
            self._try_step(running, self._look_up)

    def _joined(self, shared: Shared) -> RunningCall | None:
        """Return the call to wait for, if there is one; a call that froze with the function is given up."""
        running = self._shared.get(shared.key)
        if running is None or self._clock() - running.began_at <= shared.seconds:
            return running
        running.is_over = True
        self._forget(running)
        if running.transfer is not None:
            self._transfers.cancel(running.transfer)
        return None

    def _try_step(self, running: RunningCall, step: Callable[[RunningCall], NoResponse | None]) -> None:
        """Take a step of a call, which may be its last."""
        outcome: NoResponse | Exception | None
        try:
            outcome = step(running)
        except EgressRefusedError as error:
            outcome = _failed(running, NoResponseReason.REFUSED, error.reason)
        except HostUnresolvedError as error:
            outcome = _failed(running, NoResponseReason.DNS, str(error))
        except Exception as error:  # noqa: BLE001 - a fault of ours: raised in the conversations that it concerns
            outcome = error
        if outcome is not None:
            self._finish(running, outcome)

    def _look_up(self, running: RunningCall) -> NoResponse | None:
        request = running.call.request
        if request.fault is not None:
            return _failed(running, NoResponseReason.REFUSED, request.fault)
        if running.until <= running.since:
            return _late(running)
        found = self._guard.begin(request.url)
        if isinstance(found, Target):
            return self._start(running, found)
        running.lookup = found
        self._at(running.until, lambda: self._give_up_lookup(running))
        found.when_done(lambda: self._note_found(running))
        return None

    def _note_found(self, running: RunningCall) -> None:
        """Say that a lookup has ended. Called by its thread."""
        self._found.append(running)
        self._transfers.wake()

    def _give_up_lookup(self, running: RunningCall) -> None:
        if running.transfer is None:
            self._finish(running, _late(running))

    def _connect(self, running: RunningCall) -> NoResponse | None:
        if running.is_over or running.lookup is None:
            return None
        return self._start(running, self._guard.end(running.lookup))

    def _start(self, running: RunningCall, target: Target) -> NoResponse | None:
        now = time.monotonic()
        if now >= running.until:
            return _late(running)
        running.transfer = self._transfers.start(
            running.call.request,
            target,
            lookup_seconds=now - running.since,
            seconds=running.until - now,
            excerpt_bytes=running.call.excerpt_bytes,
            done=lambda outcome: self._finish(running, outcome),
        )
        return None

    def _leave(self, waiter: _Waiter) -> None:
        """End a conversation's wait for a shared call, which goes on."""
        if waiter.is_over:
            return
        waiter.is_over = True
        waiter.running.waiting.remove(waiter)
        phase = Phase.RESOLVING if waiter.running.transfer is None else Phase.ANSWERING
        waited = round((time.monotonic() - waiter.since) * 1000)
        waiter.go_on(NoResponse(NoResponseReason.DEADLINE, _time_up(phase), waited, None))

    def _finish(self, running: RunningCall, outcome: HttpOutcome | Exception) -> None:
        if running.is_over:
            return
        running.is_over = True
        self._forget(running)
        if running.call.shared is not None and not isinstance(outcome, Exception):
            try:
                running.call.shared.done(outcome)
            except Exception as error:  # noqa: BLE001 - a fault of ours, as in `_try_step`
                outcome = error
        for waiter in running.waiting:
            waiter.is_over = True
        for waiter in running.waiting:
            waiter.go_on(outcome)

    def _forget(self, running: RunningCall) -> None:
        shared = running.call.shared
        if shared is not None and self._shared.get(shared.key) is running:
            del self._shared[shared.key]


def _failed(running: RunningCall, reason: NoResponseReason, detail: str) -> NoResponse:
    return NoResponse(reason, detail, round((time.monotonic() - running.since) * 1000), None)


def _late(running: RunningCall) -> NoResponse:
    return _failed(running, NoResponseReason.DEADLINE, _time_up(Phase.RESOLVING))


def _time_up(phase: Phase) -> str:
    return f"the time was up: {phase}"
