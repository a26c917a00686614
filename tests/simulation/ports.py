"""The ports of a simulated container: each call is a moment at which others run, and at which a fault can happen."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from random import Random
from typing import TYPE_CHECKING, Any

from tests.fakes.endpoint import Endpoint, lead
from tests.simulation.history import Call
from webhooks.domain.delivery import Pack
from webhooks.domain.delivery_log import LogEntry
from webhooks.domain.http import HttpOutcome, HttpRequest, HttpResponse, NoResponse, NoResponseReason
from webhooks.ports import Conversation

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation


class Port:
    """Stands before a fake; `name` is how faults know it."""

    def __init__(self, simulation: "Simulation", name: str, real: Any) -> None:
        self._simulation = simulation
        self._name = name
        self._real = real

    def __getattr__(self, method: str) -> Callable[..., Any]:
        real = getattr(self._real, method)
        return lambda *args, **named: self._simulation.meet(f"{self._name}.{method}", real, *args, **named)


class CalmPort(Port):
    """A port at which others run, and no fault happens: of what is not under test here."""

    def __getattr__(self, method: str) -> Callable[..., Any]:
        real = getattr(self._real, method)
        return lambda *args, **named: self._simulation.meet_calmly(
            f"{self._name}.{method}", real, *args, **named
        )


class Workers:
    """Workers, so many at a time, whose work takes no time but what its calls spend, and runs in any order."""

    def __init__(self, simulation: "Simulation", count: int) -> None:
        self._simulation = simulation
        self._count = count

    def map(self, work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        todo = list(items)
        order = list(range(len(todo)))
        self._simulation.random.shuffle(order)
        free = [self._simulation.spent] * self._count
        heapify(free)
        done = {}
        for position in order:
            self._simulation.spent = heappop(free)
            done[position] = work(todo[position])
            heappush(free, self._simulation.spent)
        self._simulation.spent = max(free)
        return iter([done[position] for position in range(len(todo))])


class Http(Workers):
    """An HTTP client with so many connections: a conversation begins when one of them is free.

    All are led first, in any order, each in its own time. Their results are given in the order of their ends.
    """

    def __init__(self, simulation: "Simulation", endpoints: Endpoint, count: int) -> None:
        super().__init__(simulation, count)
        self._endpoints = endpoints

    def send_all(self, conversations: Sequence[Conversation[Any]], *, pause: float) -> Iterator[list[Any]]:
        simulation = self._simulation
        ends: list[tuple[float, int, Any]] = []

        def lead_one(conversation: Conversation[Any]) -> Any:
            result = lead(conversation, self._endpoints)
            ends.append((simulation.clock(), len(ends), result))
            return result

        begun, before = simulation.clock(), simulation.spent
        self.map(lead_one, conversations)
        simulation.spent = before
        for end, _, result in sorted(ends, key=lambda each: each[:2]):
            while begun + pause < end:
                begun += pause
                self._pass(begun)
                yield []
            self._pass(end)
            yield [result]

    def _pass(self, until: float) -> None:
        simulation = self._simulation
        simulation.spent += max(0.0, until - simulation.clock())


class Endpoints:
    """Everybody's endpoints: what each does is said by its URL's behaviour."""

    def __init__(self, simulation: "Simulation") -> None:
        self._simulation = simulation
        self.behaviours: dict[str, str] = {}

    def exchange(self, request: HttpRequest, *, seconds: float) -> HttpOutcome:
        body = json.loads(request.body)
        response = _behave(self.behaviours.get(request.url, "ok"), self._simulation.random, seconds)
        self._simulation.spent += response.latency_ms / 1000
        call = Call(
            tick=self._simulation.next_tick(),
            invocation=self._simulation.invocation,
            delivery_id=request.headers["webhook-id"],
            attempt=int(request.headers["webhook-attempt"]),
            url=request.url,
            method=request.method,
            authorization=request.headers.get("Authorization"),
            body=body,
            exchange=response,
            seen=self._simulation.invocation.seen.get(request.headers["webhook-id"], 0),
        )
        self._simulation.history.calls.append(call)
        said = response.status if isinstance(response, HttpResponse) else response.reason.value
        self._simulation.note(f"endpoint {request.url} got {call.delivery_id} attempt {call.attempt}: {said}")
        return response


BEHAVIOURS = ("ok", "flaky", "down", "refusing", "slow", "absent", "gone", "limited")


def _behave(behaviour: str, random: Random, seconds: float) -> HttpOutcome:
    if behaviour == "absent":
        return NoResponse(NoResponseReason.DEADLINE, "the time was up", round(seconds * 1000), "192.0.2.1")
    if behaviour == "slow":
        return _response(200, latency=random.uniform(1.2, min(4, seconds)))
    if behaviour == "limited":
        return _response(random.choice((200, 429)), retry_after="60")
    statuses = {"flaky": (200, 503), "down": (500,), "refusing": (404,), "gone": (410,)}
    return _response(random.choice(statuses.get(behaviour, (200,))))


def _response(status: int, *, latency: float = 0.05, retry_after: str | None = None) -> HttpResponse:
    return HttpResponse(status, retry_after, "", round(latency * 1000), "192.0.2.1")


def split(name: str, args: Sequence[Any], random: Random) -> tuple[list[Any], list[Any]]:
    """Split what a batch brings into what takes effect and what the port says did not."""
    todo = list(args[0])
    kept = random.randint(0, len(todo) - 1)
    random.shuffle(todo)
    return todo[:kept], [
        each[0] if name in ("queue.send_slow", "queue.send_to_dlq") else each for each in todo[kept:]
    ]


def deliveries_of(name: str, args: Sequence[Any]) -> set[str]:
    """Name the deliveries that a call is about."""
    if not args or not isinstance(args[0], list | tuple):
        return set()
    ids: set[str] = set()
    for each in args[0]:
        thing = each[0] if isinstance(each, tuple) else each
        if isinstance(thing, Pack):
            ids |= {delivery.id for delivery in thing.deliveries}
        elif isinstance(thing, LogEntry):
            ids.add(thing.delivery.id)
    return ids
