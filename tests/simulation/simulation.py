"""A deployment whose next step is always drawn at random: of an invocation, of a request to the API, or of time.

All randomness is one seeded generator's, so that a seed is a schedule, and the same one each time.
"""

import json
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

from tests.clocks import NOW
from tests.simulation.containers import Container, DispatcherContainer, FanoutContainer
from tests.simulation.deployment import Deployment
from tests.simulation.endpoints import SimulatedEndpoints
from tests.simulation.faults import NoFaults, Plan
from tests.simulation.history import History, Invocation, Publication
from tests.simulation.port_calls import PortCalls
from tests.simulation.queue_orders import AnyOrder, Message
from tests.simulation.queues import Queue
from tests.simulation.recovery_containers import CHECKS_SECONDS, MaintenanceContainer, RecoveryContainer
from tests.simulation.tasks import KilledError, Task
from tests.simulation.torn_index import TornIndex
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.errors import MalformedPackError
from webhooks.domain.event_slice import is_slice, parse_slice
from webhooks.domain.lane import Lane

MAX_STEPS = 60_000
MAX_INVOCATIONS = 4  # at the same time
TIMEOUT = 30  # seconds: as the template says
MAX_WAITING = 25  # seconds that may pass while an invocation waits for its turn
# Seconds with nothing but looks at webhooks after which a run ends: without traffic an endpoint that failed
# is looked at for ever.
QUIET_SECONDS = 3600
CHECKED_SHARE = 0.2  # of the runs of functions/maintenance while others run: most find the same
LAST_CHECKS = 20  # runs of functions/maintenance when nothing else is left to do, which faults may end
FUNCTIONS: dict[str, Callable[[Deployment], Container]] = {
    "events": FanoutContainer,
    "deliveries": DispatcherContainer,
    "slow": DispatcherContainer,
    "recovery": RecoveryContainer,
}
NAMES = {"events": "fanout", "deliveries": "dispatcher", "slow": "dispatcher", "recovery": "recovery"}


class Running(Task):
    """A task of an invocation, or of a request to the API, which has none."""

    def __init__(self, work: Callable[[], None], *, since: float, invocation: Invocation | None) -> None:
        super().__init__(work)
        self.since = since
        self.invocation = invocation
        self.finish: Callable[[], None] = lambda: None


class Simulation(Deployment):
    """`switching`: how often a call of a port lets others run, from 0 to 1.

    `repeats`: the share of messages that a queue gives out once more than necessary.
    """

    def __init__(
        self,
        random: Random,
        *,
        faults: Plan | None = None,
        repeats: float = 0,
        workers: int = 100,
        switching: float = 0.3,
        slice_size: int = 3,
        recovers: bool = True,
        disable_after_days: int = 1,
    ) -> None:
        self.repeats = repeats
        super().__init__(
            random,
            workers=workers,
            slice_size=slice_size,
            recovers=recovers,
            disable_after_days=disable_after_days,
        )
        self.endpoints: SimulatedEndpoints = SimulatedEndpoints(self)
        self.faults: Plan = faults or NoFaults()
        self.switching = switching
        self.index = TornIndex(self.subscriptions, pause=self.pause, random=random)
        self.tick = 0
        self.history = History()
        self._calls = PortCalls(self)
        self.trace: list[str] = []
        self.running: list[Running] = []
        self.idle: dict[str, list[Container]] = {name: [] for name in NAMES.values()}
        self._worked_at = self._checked_at = self.clock.now

    def make_queue(self, name: str, *, dead: Queue | None = None) -> Queue:
        return Queue(name, clock=self.clock, order=AnyOrder(self.random), dead=dead, repeats=self._repeats)

    def _repeats(self) -> bool:
        return bool(self.repeats) and self.random.random() < self.repeats

    # ---- the functions' calls

    @property
    def current(self) -> Running | None:
        task = self.clock.current
        assert task is None or isinstance(task, Running)
        return task

    @property
    def invocation(self) -> Invocation:
        assert self.current is not None
        assert self.current.invocation is not None
        return self.current.invocation

    def time_left(self) -> float:
        assert self.current is not None
        return self.current.since + TIMEOUT - self.clock()

    def pause(self) -> None:
        if self.current and self.random.random() < self.switching:
            self.current.pause()

    def call(self, name: str, real: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        """Make a call of a port, with its fault."""
        return self._calls.make(name, real, *args, **named)

    def call_without_fault(self, name: str, real: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        """Make a call of a port that is not under test here: it always works."""
        return self._calls.make_without_fault(name, real, *args, **named)

    def on_store_effect(self, point: str) -> None:
        """Note a change of a webhook once it is stored; then the count of it may fail."""
        self._calls.on_store_effect(point)

    def on_sent(self, queue: Queue, message: Message) -> None:
        self.note(f"{message.id} sent, reason {message.reason}")
        if queue is self.events:
            self._note_event(message)
        elif queue is self.fast:
            with suppress(MalformedPackError):
                sent = {each.id for each in decode_pack(message.text).deliveries}
                self.history.packs[message.id] = self.clock.now, sent
        elif queue is self.slow:
            pack = decode_pack(message.text)
            if pack.release is not None:
                self.history.releases.update(each.id for each in pack.deliveries)

    def _note_event(self, message: Message) -> None:
        """Note a slice, or an event that the service itself published."""
        if is_slice(message.text):
            self.history.slices[message.id] = parse_slice(message.text).event.id
            return
        if message.text.startswith("{"):
            self._note_publication(message)

    def _note_publication(self, message: Message) -> None:
        event = json.loads(message.text)
        if any(
            each.event and each.event["eventId"] == event["eventId"] for each in self.history.publications
        ):
            self.history.repeated_events.add(event["eventId"])
        self.history.publications.append(Publication(self.next_tick(), message.id, message.text, event))

    def on_deleted(self, queue: Queue, message: Message) -> None:
        if queue is self.events:
            self.history.acknowledged.setdefault(message.id, self.next_tick())

    def next_tick(self) -> int:
        self.tick += 1
        self.history.see_old_revisions(self.tick, self.clock.now)
        return self.tick

    def note(self, text: str) -> None:
        running = ""
        if self.current:
            invocation = self.current.invocation
            running = f"{invocation.function} {invocation.number}: " if invocation else "api: "
        self.trace.append(f"{self.tick:5} {self.clock.now - NOW:8.1f}s  {running}{text}")

    def lose_hope(self) -> None:
        """Let the next probe of an endpoint that is down disable its webhook."""
        self.disable_after_days = 0
        self.idle["recovery"].clear()

    # ---- the schedule

    def begin(self, work: Callable[[], None], invocation: Invocation | None = None) -> Running:
        running = Running(work, since=self.clock.now, invocation=invocation)
        self.running.append(running)
        return running

    def catch_up(self) -> None:
        """Do nothing: here each task spends its own time."""

    def start_beside(self, work: Callable[[], None]) -> None:
        assert self.current is not None
        beside = Running(work, since=self.current.since, invocation=self.current.invocation)
        beside.spent = self.current.spent
        self.running.append(beside)

    def wait_for(self, future: Future[Any]) -> None:
        assert self.current is not None
        while not future.done():
            self.current.pause()

    def step(self, running: Running) -> None:
        self.clock.step(running)
        if running.is_over:
            self._end(running)

    def _end(self, running: Running) -> None:
        self.running.remove(running)
        if running.invocation is not None and isinstance(running.failure, KilledError):
            for other in self._same_process(running):  # the process ends with all its threads
                self._kill(other)
                self._end(other)
        running.finish()
        if running.invocation is None and running.failure is not None:
            raise running.failure

    def _same_process(self, running: Running) -> list[Running]:
        return [each for each in self.running if each.invocation is running.invocation]

    def _kill(self, running: Running) -> None:
        before, self.clock.current = self.clock.current, running
        running.kill()
        self.clock.current = before

    def invoke(self, queue: Queue, messages: Sequence[Message] | None = None) -> Running | None:
        """Start a function on a batch of a queue, these messages or a received one; None where there is no batch."""
        batch = queue.receive() if messages is None else messages
        if not batch:
            return None
        function = NAMES[queue.name]
        container = self._container(queue.name)
        invocation = self._new_invocation(function, batch)
        number = invocation.number
        if function != "recovery":
            self._worked_at = self.clock.now
        self.note(f"{function} {number} gets {', '.join(invocation.messages)}")
        failed: set[str] = set()
        lane = Lane.SLOW if queue is self.slow else Lane.FAST
        running = self.begin(lambda: failed.update(container.handle(batch, lane)), invocation)

        def finish() -> None:
            invocation.is_over = True
            invocation.failure = running.failure
            invocation.is_killed = isinstance(invocation.failure, KilledError)
            if failed or invocation.failure is not None:  # what a fault stopped is still to be done
                self._worked_at = self.clock.now
            if invocation.failure is not None:
                self.note(f"{function} {number} ends with {invocation.failure!r}")
                return
            self.idle[function].append(container)
            self.note(f"{function} {number} is done, to come again: {sorted(failed)}")
            for message in batch:
                if message.id not in failed and queue.delete(message):
                    self.on_deleted(queue, message)

        running.finish = finish
        return running

    def _new_invocation(self, function: str, batch: Sequence[Message] = ()) -> Invocation:
        invocation = Invocation(
            len(self.history.invocations), function, self.next_tick(), tuple(each.id for each in batch)
        )
        if function == "dispatcher":
            invocation.brought = _brought(batch)
        self.history.invocations.append(invocation)
        return invocation

    def check(self) -> Running:
        """Start the schedule of functions/maintenance that restarts what a crash stopped."""
        self._checked_at = self.clock.now
        invocation = self._new_invocation("maintenance")
        running = self.begin(MaintenanceContainer(self).run, invocation)

        def finish() -> None:
            invocation.is_over = True
            invocation.failure = running.failure
            invocation.is_killed = isinstance(invocation.failure, KilledError)

        running.finish = finish
        return running

    def invoke_to_end(self, queue: Queue, messages: Sequence[Message] | None = None) -> None:
        """Run a function on a batch of a queue while nothing else runs."""
        running = self.invoke(queue, messages)
        assert running is not None, f"{queue.name} has no message"
        while not running.is_over:
            for each in self._same_process(running):
                if not each.is_over:
                    self.step(each)

    def _container(self, queue_name: str) -> Container:
        idle = self.idle[NAMES[queue_name]]
        if idle and self.random.random() < 0.9:
            return idle.pop(self.random.randrange(len(idle)))
        return FUNCTIONS[queue_name](self)

    def run(
        self, script: Sequence[Callable[[], object]] = (), *, settle: Callable[[], None] | None = None
    ) -> None:
        """Run a script's steps among all else until nothing is left to do; `settle`: run once after the script."""
        todo = deque(script)
        last_checks = LAST_CHECKS
        self._worked_at = self.clock.now
        for _ in range(MAX_STEPS):
            if not todo and self._is_quiet():
                return
            choices: list[Callable[[], object]] = []
            if self.running:
                choices += [lambda: self.step(self.random.choice(self.running))] * 4
            if todo:
                choices.append(partial(_run_next, todo))
            elif settle is not None:
                settle()
                settle = None
            if len(self.running) < MAX_INVOCATIONS:
                choices += [partial(self.invoke, queue) for queue in self.queues if queue.visible]
            if self.clock.now >= self._checked_at + CHECKS_SECONDS and not self.running:
                self._check_the_unhealthy()
                continue
            choices += self._waits(rarely=bool(choices))
            if choices:
                self.random.choice(choices)()
            elif last_checks and self._has_unhealthy():
                last_checks -= 1
                self.clock.advance(self._checked_at + CHECKS_SECONDS)
                self.check()
            else:
                return
        raise AssertionError("the queues never drain")

    def _check_the_unhealthy(self) -> None:
        """Let functions/maintenance look now and then, where it has anything to look at."""
        if self.random.random() < CHECKED_SHARE and self._has_unhealthy():
            self.check()
        else:
            self._checked_at = self.clock.now

    def _has_unhealthy(self) -> bool:
        return next(iter(self.subscriptions.all_unhealthy()), None) is not None

    def _is_quiet(self) -> bool:
        """Tell whether nothing but looks at webhooks happened for long, and nothing else is to come."""
        if self.running or self.clock.now < self._worked_at + QUIET_SECONDS:
            return False
        waiting = [message for queue in self.queues for message in queue.messages]
        return len(waiting) == len(self.recovery.messages) == self.clock.timers

    def _waits(self, *, rarely: bool) -> list[Callable[[], object]]:
        """Return the ways in which time may pass now; `rarely`: while nothing runs, but something could."""
        if self.running:
            oldest = min(running.since for running in self.running)
            later = self.clock.now + self.random.random() * 2
            return [partial(self.clock.advance, later)] if later < oldest + MAX_WAITING else []
        next_at = self.clock.next_at()
        if next_at is None or (rarely and self.random.random() < 0.7):
            return []
        return [partial(self.clock.advance, next_at)]

    def close(self) -> None:
        """End everything that still runs."""
        for running in self.running:
            self._kill(running)


def _brought(batch: Sequence[Message]) -> dict[str, set[str]]:
    """Return why each delivery of a batch is sent: the kinds of its releases, "" for none."""
    brought: dict[str, set[str]] = {}
    for message in batch:
        with suppress(MalformedPackError):
            pack = decode_pack(message.text)
            for each in pack.deliveries:
                brought.setdefault(each.id, set()).add(pack.release.kind if pack.release else "")
    return brought


def _run_next(todo: deque[Callable[[], object]]) -> None:
    todo.popleft()()
