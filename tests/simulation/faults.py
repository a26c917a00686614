"""What can go wrong at a call of a port, and the plans that say where it does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Protocol


class Kind(StrEnum):
    """A fault, by what has taken effect when it happens."""

    ERROR = "error"  # nothing has: an error, a throttle
    LOST_ANSWER = "lost answer"  # everything has, and the caller gets a timeout
    PARTIAL = "partial"  # a part has, as the documented result says
    KILLED_BEFORE = "killed before"  # nothing has, and the process is gone
    KILLED_AFTER = "killed after"  # everything has, and the process is gone

    @property
    def kills(self) -> bool:
        return self in (Kind.KILLED_BEFORE, Kind.KILLED_AFTER)


KILLS = (Kind.KILLED_BEFORE, Kind.KILLED_AFTER)
READ = (Kind.ERROR, Kind.KILLED_BEFORE)  # nothing takes effect: after it is before what follows
WRITE = (Kind.ERROR, Kind.LOST_ANSWER, *KILLS)
BATCH = (Kind.ERROR, Kind.LOST_ANSWER, Kind.PARTIAL, *KILLS)

# Every port that fan-out and dispatcher call.
CALLS: Mapping[str, tuple[Kind, ...]] = {
    "index.versions": READ,
    "index.listeners": READ,
    "index.last_sequence": READ,
    "lane.send": BATCH,
    "slices.send": (Kind.ERROR, Kind.LOST_ANSWER, *KILLS),
    "slices.delete": KILLS,  # it never raises: a message that stays comes again
    "events.send_to_dlq": WRITE,
    "batch.read": READ,
    "credentials.read": READ,
    "master.read": READ,
    "service.read": READ,
    "content.read": READ,
    "tokens.token": READ,
    "endpoint.exchange": KILLS,  # it never raises: what endpoints do is no fault
    "queue.send_slow": BATCH,
    "queue.send_to_dlq": BATCH,
    "queue.send_text_to_dlq": WRITE,
    "queue.delete": KILLS,  # as slices.delete
    "subscriptions.change": WRITE,
    "log.record": BATCH,
    "pace.mark": WRITE,
}


class Plan(Protocol):
    """Where faults happen."""

    def choose(self, call: str, /) -> Kind | None:
        """Say what happens at the next call of a port."""


@dataclass
class NoFaults:
    """Everything works; notes the calls."""

    calls: list[str] = field(default_factory=list)

    def choose(self, call: str) -> Kind | None:
        self.calls.append(call)
        return None


@dataclass
class FaultsAt:
    """Faults at calls by their position, counted from 0; none where the call there cannot fail so."""

    kinds: Mapping[int, Kind]
    position: int = -1

    def choose(self, call: str) -> Kind | None:
        self.position += 1
        kind = self.kinds.get(self.position)
        return kind if kind in CALLS[call] else None


@dataclass
class RandomFaults:
    """Some of `kinds` at a share of all calls; none once `share` is set to 0."""

    random: Random
    share: float
    kinds: frozenset[Kind]

    def choose(self, call: str) -> Kind | None:
        if self.random.random() >= self.share:
            return None
        possible = [kind for kind in CALLS[call] if kind in self.kinds]
        return self.random.choice(possible) if possible else None
