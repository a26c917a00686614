"""Work that one invocation does at the same time: it is led piece by piece, and each spends its own time.

A piece starts when one of so many workers or connections is free; the invocation goes on when the last is done.
"""

from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from random import Random
from typing import Any

from tests.fakes.endpoint import Endpoint, lead
from tests.simulation.clock import SimulatedClock
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
    """An HTTP client with so many connections: a conversation begins when one of them is free."""

    def __init__(self, endpoint: Endpoint, *, connections: SimulatedWorkers) -> None:
        self._endpoint = endpoint
        self._connections = connections

    def send_all(self, conversations: Sequence[Conversation[Any]]) -> list[Any]:
        return list(self._connections.map(lambda each: lead(each, self._endpoint), conversations))
