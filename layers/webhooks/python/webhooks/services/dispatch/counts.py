"""The numbers of a batch of deliveries, as its metrics have them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from webhooks.domain.delivery_log import Outcome
from webhooks.domain.lane import Lane
from webhooks.domain.retry import PutBack
from webhooks.domain.values import value_type
from webhooks.services.dispatch.stages import Decided, Held, Skipped


@dataclass(slots=True)
class Tally:
    """Deliveries by their outcome; `latencies_ms` of the delivered ones, since their events were sent.

    `poisoned`: deliveries and whole messages that were dead-lettered for a fault of the service;
    `unrecorded`: settled deliveries that the log did not take.
    """

    outcomes: dict[Outcome, int] = field(default_factory=dict)
    latencies_ms: list[int] = field(default_factory=list)
    poisoned: int = 0
    unrecorded: int = 0

    def count(self, stage: Decided | Skipped | Held, outcome: Outcome) -> None:
        """Count a settled delivery. One that a probe left in its backlog has no new outcome."""
        if isinstance(stage, Decided) and isinstance(stage.verdict, PutBack):
            return
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        if isinstance(stage, Skipped):
            self.poisoned += stage.is_fault
        elif isinstance(stage, Decided) and outcome is Outcome.DELIVERED:
            sent_at, attempt = stage.decoded.pack.sent_at, stage.decoded.delivery.attempts[-1]
            if sent_at is not None:
                self.latencies_ms.append(max(0, attempt.at + attempt.latency_ms - sent_at))

    def add(self, other: "Tally") -> None:
        """Add another part of the batch."""
        for outcome, number in other.outcomes.items():
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + number
        self.latencies_ms += other.latencies_ms
        self.poisoned += other.poisoned
        self.unrecorded += other.unrecorded


@value_type(frozen=True, slots=True)
class Settled:
    """The end of a part of a batch: the ids of the messages that must come again, and its numbers."""

    again: set[str] = field(default_factory=set)
    tally: Tally = field(default_factory=Tally)

    def joined(self, others: Iterable["Settled"]) -> "Settled":
        """Return it with other parts."""
        again, tally = set(self.again), Tally()
        tally.add(self.tally)
        for each in others:
            again |= each.again
            tally.add(each.tally)
        return Settled(again, tally)


@value_type(frozen=True, slots=True)
class DispatchCounts:
    """The numbers of a batch that came by a lane."""

    lane: Lane
    tally: Tally
