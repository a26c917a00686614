"""Work that one invocation does at the same time.

Workers and connections: a piece of work starts when one of so many is free, spends its own time, and the invocation
goes on when the last piece is done. Background: a second thread, whose work others see while the first goes on.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from heapq import heapify, heappop, heappush
from random import Random
from typing import Any

from tests.fakes.endpoint import RequestSender, lead
from tests.simulation.clock import SimulatedClock
from tests.simulation.deployment import Deployment
from webhooks.ports import Conversation


class SimulatedWorkers:
    """Workers, so many at a time, whose work takes no time but that of its calls, and runs in any order."""

    def __init__(self, clock: SimulatedClock, *, random: Random, count: int) -> None:
        self._clock = clock
        self._random = random
        self._count = count

    def map[T, R](self, work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        order = list(range(len(items)))
        self._random.shuffle(order)
        free_at = [self._clock.spent] * self._count
        heapify(free_at)
        done: dict[int, R] = {}
        for position in order:
            self._clock.spent = heappop(free_at)
            done[position] = work(items[position])
            heappush(free_at, self._clock.spent)
        self._clock.spent = max(free_at)
        return iter([done[position] for position in range(len(items))])


class SimulatedHttpClient:
    """An HTTP client with so many connections: a conversation begins when one of them is free.

    All are led first, in any order, each in its own time. Their results are given in the order of their ends.
    """

    def __init__(
        self, endpoint: RequestSender, *, clock: SimulatedClock, connections: SimulatedWorkers
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._connections = connections

    def send_all[R](self, conversations: Sequence[Conversation[R]], *, pause: float) -> Iterator[Sequence[R]]:
        ends: list[tuple[float, int, R]] = []

        def lead_one(conversation: Conversation[R]) -> None:
            result = lead(conversation, self._endpoint)
            ends.append((self._clock(), len(ends), result))

        begun, before = self._clock(), self._clock.spent
        self._connections.map(lead_one, conversations)
        self._clock.spent = before
        for end, _, result in sorted(ends, key=lambda each: each[:2]):
            while begun + pause < end:
                begun += pause
                self._wait_until(begun)
                yield []
            self._wait_until(end)
            yield [result]

    def _wait_until(self, time: float) -> None:
        self._clock.spent += max(0.0, time - self._clock())


class SimulatedFuture[R](Future[R]):
    """The result of background work; asked too early, it lets others run meanwhile."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__()
        self._deployment = deployment
        self.done_at = 0.0

    def result(self, timeout: float | None = None) -> R:
        if not self.done():
            self._deployment.wait_for(self)
        clock = self._deployment.clock
        clock.spent = max(clock.spent, self.done_at - clock.now)
        return super().result(timeout)


class SimulatedBackground:
    """One thread beside an invocation's own, as an Executor; a kill in either ends both."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._todo: deque[Callable[[], None]] = deque()
        self._is_running = False

    def submit[T, R](self, work: Callable[[T], R], item: T, /) -> Future[R]:
        future = SimulatedFuture[R](self._deployment)

        def run() -> None:
            try:
                result = work(item)
            except Exception as error:  # noqa: BLE001 - the future raises it
                self._note_end(future)
                future.set_exception(error)
            else:
                self._note_end(future)
                future.set_result(result)

        self._todo.append(run)
        if not self._is_running:
            self._is_running = True
            self._deployment.start_beside(self._run)
        return future

    def _note_end(self, future: SimulatedFuture[Any]) -> None:
        self._deployment.catch_up()
        future.done_at = self._deployment.clock()

    def _run(self) -> None:
        while self._todo:
            self._todo.popleft()()
        self._is_running = False
