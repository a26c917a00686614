"""Faults at the calls of ports, and the plans that say where they happen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Protocol


class Kind(StrEnum):
    """A fault, by its effects until it happens."""

    ERROR = "error"  # none: an error, a throttle
    LOST_RESPONSE = "lost response"  # all, and the caller gets a timeout
    PARTIAL = "partial"  # some, as the documented result says
    KILLED_BEFORE = "killed before"  # none, and the process is gone
    KILLED_AFTER = "killed after"  # all, and the process is gone

    @property
    def kills(self) -> bool:
        return self in (Kind.KILLED_BEFORE, Kind.KILLED_AFTER)


KILLS = (Kind.KILLED_BEFORE, Kind.KILLED_AFTER)
READ = (Kind.ERROR, Kind.KILLED_BEFORE)  # without effect: a kill after it is one before the next call
WRITE = (Kind.ERROR, Kind.LOST_RESPONSE, *KILLS)
BATCH = (Kind.ERROR, Kind.LOST_RESPONSE, Kind.PARTIAL, *KILLS)

# Every call that the functions make of a port.
CALLS: Mapping[str, tuple[Kind, ...]] = {
    "fanout_reader.read": READ,
    "index.versions": READ,
    "index.listeners": READ,
    "index.last_sequence": READ,
    "seen.read": READ,
    "seen.add": WRITE,
    "lane.send": BATCH,
    "events_queue.send": (Kind.ERROR, Kind.LOST_RESPONSE, *KILLS),
    "events_queue.delete": KILLS,  # it never raises: a message that stays comes again
    "events_dlq.send_to_dlq": WRITE,
    "events_dlq.send_all_to_dlq": (Kind.ERROR, Kind.LOST_RESPONSE, *KILLS),
    "batch.read": READ,
    "batch.look": READ,
    "credentials.read": READ,
    "master.read": READ,
    "service.read": READ,
    "signing.read": READ,
    "tokens.token": READ,
    "endpoint.send": KILLS,  # it never raises: a bad endpoint is no fault
    "queue.send_slow": BATCH,
    "queue.send_to_dlq": BATCH,
    "queue.send_text_to_dlq": WRITE,
    "queue.delete": KILLS,  # as events_queue.delete
    "subscriptions.change": WRITE,
    "subscriptions.next_epoch": WRITE,  # inside of a change, after it is stored
    "log.record": BATCH,
    "health.save": WRITE,
    "limiter.reserve": WRITE,
    "recovery.send": WRITE,
    "recovery.send_to_dlq": WRITE,
    "publisher.publish": WRITE,
    "subscriptions.get": READ,
    "subscriptions.get_many": READ,
    "health.all_unhealthy": READ,
    "reader.backlog": READ,
    "reader.find": READ,
    "reader.newest": READ,
    "reader.oldest": READ,
    "reader.payloads": READ,
    "slow_lane.send_slow": BATCH,
    "replays.add": WRITE,
    "replays.get": READ,
    "replays.claim": WRITE,
    "replays.change": WRITE,
}


class Plan(Protocol):
    """Where faults happen."""

    def choose(self, call: str, /) -> Kind | None:
        """Return the fault of the next call of a port."""


@dataclass
class NoFaults:
    """Everything works; notes the calls."""

    calls: list[str] = field(default_factory=list)

    def choose(self, call: str) -> Kind | None:
        self.calls.append(call)
        return None


@dataclass
class FaultsAt:
    """Faults at calls by their position, counted from 0; none where the call cannot fail in that way."""

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
