"""Schedules with dispatchers that keep webhooks for some seconds: no promise but that one softens."""

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

import pytest

from tests.simulation.history import Invocation
from tests.simulation.invariants import Invariants
from tests.simulation.queue_orders import Message
from tests.simulation.schedules import run_schedule
from tests.simulation.simulation import Simulation

SECONDS, SCHEDULES = 30, 200


class CachedSimulation(Simulation):
    """Invocations may see webhooks as they were some seconds before.

    `since`: the tick at which an invocation really began, by its number.
    """

    cache_seconds = SECONDS

    def _new_invocation(self, function: str, batch: Sequence[Message] = ()) -> Invocation:
        invocation = super()._new_invocation(function, batch)
        earlier = getattr(self, "times", [(self.clock.now, 0)])
        self.times: list[tuple[float, int]] = [*earlier, (self.clock.now, invocation.started)]
        if function == "dispatcher":
            invocation.started = max(
                (tick for at, tick in earlier if at < self.clock.now - SECONDS), default=0
            )
        return invocation


class CachedInvariants(Invariants):
    """An event that was accepted after a change sees it, whatever dispatchers keep."""

    served: ClassVar[int] = 0

    def violations(self) -> list[str]:
        CachedInvariants.served += sum(call.webhook is None for call in self.history.calls)
        return [*super().violations(), *self._changes_unseen()]

    def _changes_unseen(self) -> Iterator[str]:
        for call in self.history.calls:
            if call.delivery_id not in self.known:
                continue
            publication, webhook_id = self.known[call.delivery_id]
            since = max(publication.tick, call.invocation.started)
            states = self.history.states(webhook_id, since, call.tick)
            if not any(webhook and self._fits(call, webhook) for webhook in states):
                yield f"{call.delivery_id}: called as the webhook was before its event was accepted"


@pytest.mark.parametrize("block", range(4))
def test_kept_webhooks_break_no_promise(block: int, record_property: Callable[[str, object], None]) -> None:
    before = CachedInvariants.served
    for seed in range(500_000 + block, 500_000 + SCHEDULES, 4):
        report = run_schedule(seed, make=CachedSimulation, checks=CachedInvariants)
        assert not report.violations, str(report)
    assert CachedInvariants.served > before
    record_property("calls of kept webhooks", CachedInvariants.served - before)
