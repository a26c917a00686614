"""A deployment whose next step is always drawn at random: of an invocation, of a request to the API, or of time.

All randomness is one seeded generator's, so that a seed is a schedule, and the same one each time.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from random import Random
from typing import Any

from tests.clocks import NOW
from tests.simulation.containers import Container, DispatcherContainer, FanoutContainer
from tests.simulation.deployment import Deployment
from tests.simulation.endpoints import SimulatedEndpoints
from tests.simulation.faults import NoFaults, Plan
from tests.simulation.history import History, Invocation
from tests.simulation.port_calls import PortCalls
from tests.simulation.queue_orders import AnyOrder, Message
from tests.simulation.queues import Queue
from tests.simulation.tasks import KilledError, Task
from webhooks.domain.event_slice import is_slice, parse_slice
from webhooks.domain.lane import Lane

MAX_STEPS = 60_000
MAX_INVOCATIONS = 4  # at the same time
TIMEOUT = 30  # seconds: as the template says
MAX_WAITING = 25  # seconds that may pass while an invocation waits for its turn


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
    ) -> None:
        self.repeats = repeats
        super().__init__(random, workers=workers, slice_size=slice_size)
        self.endpoints: SimulatedEndpoints = SimulatedEndpoints(self)
        self.faults: Plan = faults or NoFaults()
        self.switching = switching
        self.tick = 0
        self.history = History()
        self._calls = PortCalls(self)
        self.trace: list[str] = []
        self.running: list[Running] = []
        self.idle: dict[str, list[Container]] = {"fanout": [], "dispatcher": []}

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

    def on_sent(self, queue: Queue, message: Message) -> None:
        self.note(f"{message.id} sent, reason {message.reason}")
        if is_slice(message.text) and queue is self.events:
            self.history.slices[message.id] = parse_slice(message.text).event.id

    def on_deleted(self, queue: Queue, message: Message) -> None:
        if queue is self.events:
            self.history.acknowledged.setdefault(message.id, self.next_tick())

    def next_tick(self) -> int:
        self.tick += 1
        return self.tick

    def note(self, text: str) -> None:
        running = ""
        if self.current:
            invocation = self.current.invocation
            running = f"{invocation.function} {invocation.number}: " if invocation else "api: "
        self.trace.append(f"{self.tick:5} {self.clock.now - NOW:8.1f}s  {running}{text}")

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
        function = "fanout" if queue is self.events else "dispatcher"
        container = self._container(function)
        number = len(self.history.invocations)
        invocation = Invocation(number, function, self.next_tick(), tuple(each.id for each in batch))
        self.history.invocations.append(invocation)
        self.note(f"{function} {number} gets {', '.join(invocation.messages)}")
        failed: set[str] = set()
        lane = Lane.SLOW if queue is self.slow else Lane.FAST
        running = self.begin(lambda: failed.update(container.handle(batch, lane)), invocation)

        def finish() -> None:
            invocation.is_over = True
            invocation.failure = running.failure
            invocation.is_killed = isinstance(invocation.failure, KilledError)
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

    def invoke_to_end(self, queue: Queue, messages: Sequence[Message] | None = None) -> None:
        """Run a function on a batch of a queue while nothing else runs."""
        running = self.invoke(queue, messages)
        assert running is not None, f"{queue.name} has no message"
        while not running.is_over:
            for each in self._same_process(running):
                if not each.is_over:
                    self.step(each)

    def _container(self, function: str) -> Container:
        idle = self.idle[function]
        if idle and self.random.random() < 0.9:
            return idle.pop(self.random.randrange(len(idle)))
        return FanoutContainer(self) if function == "fanout" else DispatcherContainer(self)

    def run(
        self, script: Sequence[Callable[[], object]] = (), *, settle: Callable[[], None] | None = None
    ) -> None:
        """Run a script's steps among all else until nothing is left to do; `settle`: run once after the script."""
        todo = deque(script)
        for _ in range(MAX_STEPS):
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
            choices += self._waits(rarely=bool(choices))
            if not choices:
                return
            self.random.choice(choices)()
        raise AssertionError("the queues never drain")

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


def _run_next(todo: deque[Callable[[], object]]) -> None:
    todo.popleft()()
