"""A deployment in memory, in simulated time: queues, containers that come and go, tenants who change their webhooks.

All chance is one seeded generator's, so that a seed is a schedule, and the same one each time.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from tests.fakes.credentials import FakeCredentials
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.endpoint import ScriptedTokens
from tests.fakes.queues import FakeDeliveryQueue, FakeEventsDlq, FakeEventsQueue
from tests.fakes.subscriptions import FakeSubscriptions
from tests.simulation.containers import Container, DispatcherContainer, FanoutContainer
from tests.simulation.faults import Kind, NoFaults, Plan
from tests.simulation.history import History, Invocation, Revision
from tests.simulation.ports import Endpoints, deliveries_of, split
from tests.simulation.queues import Message, Queue
from tests.simulation.strands import KilledError, Strand
from webhooks.domain.errors import UnavailableError
from webhooks.domain.event_slice import is_slice, parse_slice
from webhooks.domain.lane import Lane

NOW = 1_790_000_000.0
MAX_STEPS = 60_000
AT_ONCE = 4  # invocations
TIMEOUT = 30  # seconds: as the template says
WAITING = 25  # seconds that an invocation lets pass by waiting for its turn


@dataclass(eq=False)
class Running:
    """A strand, and what it spent of the simulated time by itself."""

    strand: Strand
    invocation: Invocation | None
    since: float
    spent: float = 0.0
    finish: Callable[[], None] = lambda: None


class Simulation:
    """See the module. `switching`: how often a call of a port lets others run; `repeats`: see Queue."""

    def __init__(
        self,
        random: Random,
        *,
        faults: Plan | None = None,
        repeats: float = 0,
        workers: int = 100,
        switching: float = 0.3,
        slice_size: int = 3,
    ) -> None:
        self.random = random
        self.faults: Plan = faults or NoFaults()
        self.workers = workers
        self.switching = switching
        self.slice_size = slice_size
        self.now = NOW
        self.tick = 0
        self.history = History()
        self.trace: list[str] = []
        self.running: list[Running] = []
        self.current: Running | None = None
        self.idle: dict[str, list[Container]] = {"fanout": [], "dispatcher": []}
        self.keep_containers = True
        self._make_queues(repeats)
        self._make_stores()

    def _make_queues(self, repeats: float) -> None:
        self.events_dead, self.dead = Queue("events-dlq", self.random), Queue("deliveries-dlq", self.random)
        self.events = Queue("events", self.random, self.events_dead, repeats)
        self.fast = Queue("deliveries", self.random, self.dead, repeats)
        self.slow = Queue("slow", self.random, self.dead, repeats)
        self.queues = (self.events, self.fast, self.slow)

    def _make_stores(self) -> None:
        self.subscriptions = FakeSubscriptions(clock=self.clock, random_bytes=self.random.randbytes)
        self.credentials = FakeCredentials(clock=self.clock, random_bytes=self.random.randbytes)
        self.log = FakeDeliveryLog()
        self.lanes, self.events_dlq = FakeDeliveryQueue(), FakeEventsDlq()
        self.slices = FakeEventsQueue()
        self.endpoints, self.tokens = Endpoints(self), ScriptedTokens()

    # ---- what the simulated programs see

    def clock(self) -> float:
        return self.now + self.spent

    def time_left(self) -> float:
        assert self.current is not None
        return self.current.since + TIMEOUT - self.clock()

    @property
    def spent(self) -> float:
        return self.current.spent if self.current else 0.0

    @spent.setter
    def spent(self, seconds: float) -> None:
        assert self.current is not None
        self.current.spent = seconds

    @property
    def invocation(self) -> Invocation:
        assert self.current is not None
        assert self.current.invocation is not None
        return self.current.invocation

    def pause(self) -> None:
        if self.current and self.random.random() < self.switching:
            self.current.strand.pause()

    def meet(self, name: str, real: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """Make a call of a port, with what goes wrong there."""
        self.pause()
        fault = self.faults.choose(name)
        if fault is not None:
            self.history.faults[f"{name}: {fault}"] = self.history.faults.get(f"{name}: {fault}", 0) + 1
            self.note(f"{name}: {fault}")
        if fault is Kind.KILLED_BEFORE:
            raise KilledError
        if fault is Kind.ERROR:
            self._fail(name, deliveries_of(name, args))
            raise UnavailableError(f"{name}: throttled")
        if fault is Kind.PARTIAL:
            taken, refused = split(name, args, self.random)
            self._fail(name, deliveries_of(name, [refused]))
            self._effect(name, real, taken)
            return refused
        result = self._effect(name, real, *args, **named)
        if fault is Kind.KILLED_AFTER:
            raise KilledError
        if fault is Kind.LOST_ANSWER:
            self._fail(name, deliveries_of(name, args))
            raise UnavailableError(f"{name}: timed out")
        return result

    def meet_calmly(self, name: str, real: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """Make a call of a port that always works."""
        self.pause()
        return self._effect(name, real, *args, **named)

    def _effect(self, name: str, real: Callable[..., Any], *args: Any, **named: Any) -> Any:
        result = real(*args, **named)
        if name.startswith(("lane.", "queue.", "events.", "slices.")):
            self._flush()
        if name == "batch.read":
            seen = {key.delivery_id: len(logged.attempts) for key, logged in result.logged.items()}
            self.invocation.seen |= {each.delivery_id: seen.get(each.delivery_id, 0) for each in args[1]}
        if name == "log.record":
            tick = self.next_tick()
            self.invocation.recorded |= dict.fromkeys(deliveries_of(name, args), tick)
            for entry in args[0]:
                self.note(f"log {entry.delivery.id}: {entry.outcome} after {len(entry.delivery.attempts)}")
        if name in ("credentials.create", "credentials.replace"):
            self.history.credentials[result] = named["credential"] if "credential" in named else args[1]
        if name in ("subscriptions.add", "subscriptions.change", "subscriptions.remove"):
            self._revise(name, args)
        return result

    def _fail(self, name: str, deliveries: set[str]) -> None:
        if name == "log.record":
            self.invocation.unrecorded |= deliveries
        elif name in ("queue.send_slow", "queue.send_to_dlq"):
            self.invocation.untaken |= deliveries

    def _revise(self, name: str, args: Sequence[Any]) -> None:
        webhook = args[1] if name == "subscriptions.change" else args[0]
        after = None if name == "subscriptions.remove" else webhook
        self.history.revisions.setdefault(webhook.id, []).append(Revision(self.next_tick(), after))
        self.note(f"{name} {webhook.id} enabled={after.enabled if after else None}")

    def _flush(self) -> None:
        """Move what the fakes of the queues took to where it waits."""
        for source, queue in (
            (self.lanes.fast, self.fast),
            (self.lanes.slow, self.slow),
            (self.lanes.dead, self.dead),
            (self.slices.queue, self.events),
            (self.events_dlq.dead, self.events_dead),
        ):
            for sent in source.take(1000):
                message = queue.put(sent.text, now=self.now, delay=sent.delay, reason=sent.reason)
                self.note(f"{message.id} sent, delay {sent.delay}, reason {sent.reason}")
                if is_slice(sent.text) and queue is self.events:
                    self.history.slices[message.id] = parse_slice(sent.text).event.id
        for deleted in (self.slices.deleted, self.lanes.deleted):
            while deleted:
                self._delete(deleted.pop())

    def _delete(self, message_id: str) -> None:
        """Delete a message that a function is done with, before its batch ends."""
        for queue in self.queues:
            for message in list(queue.messages):
                if message.id == message_id and queue.delete(message) and queue is self.events:
                    self.history.acknowledged.setdefault(message_id, self.next_tick())

    def next_tick(self) -> int:
        self.tick += 1
        return self.tick

    def note(self, text: str) -> None:
        who = ""
        if self.current:
            invocation = self.current.invocation
            who = f"{invocation.function} {invocation.number}: " if invocation else "api: "
        self.trace.append(f"{self.tick:5} {self.now - NOW:8.1f}s  {who}{text}")

    # ---- what makes it run

    def begin(self, work: Callable[[], None], invocation: Invocation | None = None) -> Running:
        running = Running(Strand(work), invocation, self.now)
        self.running.append(running)
        return running

    def step(self, running: Running) -> None:
        self.current = running
        running.strand.step()
        self.current = None
        if running.strand.is_over:
            self.running.remove(running)
            running.finish()
            if running.invocation is None and running.strand.failure is not None:
                raise running.strand.failure

    def invoke(self, queue: Queue, messages: Sequence[Message] | None = None) -> Running | None:
        """Start a function on a batch of a queue."""
        batch = queue.receive(self.now) if messages is None else messages
        if not batch:
            return None
        function = "fanout" if queue is self.events else "dispatcher"
        idle = self.idle[function]
        if idle and self.random.random() < 0.9:
            container = idle.pop(self.random.randrange(len(idle)))
        else:
            container = FanoutContainer(self) if function == "fanout" else DispatcherContainer(self)
        number = len(self.history.invocations)
        invocation = Invocation(number, function, self.next_tick(), tuple(each.id for each in batch))
        self.history.invocations.append(invocation)
        self.note(f"{function} {number} gets {', '.join(invocation.messages)}")
        failed: set[str] = set()
        lane = Lane.SLOW if queue is self.slow else Lane.FAST

        def work() -> None:
            failed.update(container.handle(batch, lane))

        running = self.begin(work, invocation)

        def finish() -> None:
            invocation.is_over = True
            invocation.failure = running.strand.failure
            invocation.is_killed = isinstance(invocation.failure, KilledError)
            if invocation.failure is not None:
                self.note(f"{function} {number} ends with {invocation.failure!r}")
                return
            if self.keep_containers:
                idle.append(container)
            self.note(f"{function} {number} is done, to come again: {sorted(failed)}")
            for message in batch:
                if message.id not in failed and queue.delete(message) and queue is self.events:
                    self.history.acknowledged.setdefault(message.id, self.next_tick())

        running.finish = finish
        return running

    def run(
        self, script: Sequence[Callable[[], None]] = (), *, settle: Callable[[], None] | None = None
    ) -> None:
        """Run a script's steps among all else until nothing is left to do."""
        todo = deque(script)
        for _ in range(MAX_STEPS):
            choices: list[Callable[[], Any]] = []
            if self.running:
                choices += [lambda: self.step(self.random.choice(self.running))] * 4
            if todo:
                choices.append(partial(_next_of, todo))
            elif settle is not None:
                settle()
                settle = None
            if len(self.running) < AT_ONCE:
                choices += [
                    lambda queue=queue: self.invoke(queue) for queue in self.queues if queue.visible(self.now)
                ]
            choices += self._waits(hurry=0 if not choices else 0.7)
            if not choices:
                return
            self.random.choice(choices)()
        raise AssertionError("the queues never drain")

    def _waits(self, *, hurry: float) -> list[Callable[[], None]]:
        """Return the ways in which time may pass now; `hurry`: how rarely it does while nothing runs."""
        times = [at for queue in self.queues if (at := queue.next_at()) is not None and at > self.now]
        if self.running:
            oldest = min(running.since for running in self.running)
            later = self.now + self.random.random() * 2
            return [lambda: self._pass(later)] if later < oldest + WAITING else []
        if not times or self.random.random() < hurry:
            return []
        return [lambda: self._pass(min(times))]

    def _pass(self, now: float) -> None:
        self.now = now

    def close(self) -> None:
        """End what still runs."""
        for running in self.running:
            self.current = running
            running.strand.kill()


def _next_of(todo: deque[Callable[[], None]]) -> None:
    todo.popleft()()
