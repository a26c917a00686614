"""Tenants' endpoints: each behaves as its URL's behaviour says."""

import json
from random import Random
from typing import TYPE_CHECKING

from tests.simulation.history import ReceivedCall
from webhooks.domain.http import HttpOutcome, HttpRequest, HttpResponse, NoResponse, NoResponseReason

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

BEHAVIOURS = ("ok", "flaky", "down", "refusing", "slow", "absent", "gone", "limited")
STATUSES = {"flaky": (200, 503), "down": (500,), "refusing": (404,), "gone": (410,)}
ADDRESS = "192.0.2.1"


class SimulatedEndpoints:
    """All endpoints. `errors`: raised in our own code, by URL; a KilledError ends its process."""

    def __init__(self, simulation: "Simulation") -> None:
        self._simulation = simulation
        self.behaviours: dict[str, str] = {}
        self.errors: dict[str, BaseException] = {}

    def send(self, request: HttpRequest, *, seconds: float) -> HttpOutcome:
        if request.url in self.errors:
            raise self.errors[request.url]
        simulation = self._simulation
        behaviour = self.behaviours.get(request.url, "ok")
        outcome = _outcome(behaviour, simulation.random, seconds=seconds)
        simulation.clock.spent += outcome.latency_ms / 1000
        call = ReceivedCall(
            tick=simulation.next_tick(),
            invocation=simulation.invocation,
            delivery_id=request.headers["webhook-id"],
            attempt=int(request.headers["webhook-attempt"]),
            url=request.url,
            method=request.method,
            authorization=request.headers.get("Authorization"),
            body=json.loads(request.body),
            outcome=outcome,
            seen=simulation.invocation.seen.get(request.headers["webhook-id"], 0),
            webhook=simulation.invocation.webhooks.get(request.headers["webhook-id"].partition("-")[0]),
            read_at=simulation.invocation.read_at.get(request.headers["webhook-id"]),
            at=simulation.clock.now,
            known=simulation.invocation.outcomes.get(request.headers["webhook-id"]),
        )
        simulation.history.calls.append(call)
        said = outcome.status if isinstance(outcome, HttpResponse) else outcome.reason.value
        simulation.note(f"endpoint {request.url} got {call.delivery_id} attempt {call.attempt}: {said}")
        return outcome


def _outcome(behaviour: str, random: Random, *, seconds: float) -> HttpOutcome:
    if behaviour == "absent":
        return NoResponse(NoResponseReason.DEADLINE, "the time was up", round(seconds * 1000), ADDRESS)
    if behaviour == "slow":
        return _response(200, latency=random.uniform(1.2, min(4, seconds)))
    if behaviour == "limited":
        return _response(random.choice((200, 429)), retry_after="60")
    return _response(random.choice(STATUSES.get(behaviour, (200,))))


def _response(status: int, *, latency: float = 0.05, retry_after: str | None = None) -> HttpResponse:
    return HttpResponse(status, retry_after, "", round(latency * 1000), ADDRESS)
