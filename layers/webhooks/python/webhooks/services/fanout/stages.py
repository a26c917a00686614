"""The types that a message of the events queue passes through in fan-out, one for each stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from webhooks.domain.delivery import Delivery
from webhooks.domain.event import Event
from webhooks.domain.event_array import EventArray
from webhooks.domain.scope import Scope
from webhooks.domain.seen_events import EventKey

# Seconds before the invocation's end from which nothing is begun: an AWS call and its consequences still fit.
STOP_BEFORE = 12.0


@dataclass(frozen=True, slots=True)
class EventMessage:
    """A message of the events queue. `sent_at` in epoch ms; `receives`: receives so far, with this one."""

    id: str
    text: str
    sent_at: int
    receives: int = 1
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A message that is an event."""

    message: EventMessage
    event: Event


class EventName(NamedTuple):
    """An event without its data."""

    id: str
    name: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class Matched:
    """An event with its deliveries by webhook id, out of `listening` webhooks that list its name.

    `key`: by which its marks are found.
    """

    message: EventMessage
    event: EventName
    deliveries: Mapping[str, Delivery]
    listening: int
    key: EventKey


@dataclass(frozen=True, slots=True)
class Costly:
    """A message that costs too much for shared packs: it is fanned out alone."""

    message: EventMessage


@dataclass(frozen=True, slots=True)
class FannedOut:
    """A message of which every delivery is on a queue, in a pack or in a slice.

    `is_unmatched`: no webhook wants the event. `is_repeated`: it may have been sent before.
    """

    message: EventMessage
    deliveries: int
    is_unmatched: bool = False
    is_repeated: bool = False


class Cause(Enum):
    """The origin of an event's rejection."""

    PRODUCER = auto()  # the event is invalid
    COST = auto()  # a webhook's query costs too much with this event
    FAULT = auto()  # of the service: its code fails on the event, or an index entry is corrupt


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message for the dead-letter queue. `deliveries` of it are sent all the same."""

    message: EventMessage
    reason: str
    deliveries: int = 0
    cause: Cause = Cause.PRODUCER


@dataclass(frozen=True, slots=True)
class Failed:
    """A message that must come again."""

    message: EventMessage


@dataclass(frozen=True, slots=True)
class BegunArray:
    """An array of events, some of which were fanned out with other messages, with their results.

    `costly`: positions of the others.
    """

    message: EventMessage
    array: EventArray
    results: Sequence[FannedOut | Rejected]
    costly: Sequence[int]


@dataclass(frozen=True, slots=True)
class FannedOutArray:
    """An array of events: the results of those that were begun. The others are sent on as a message."""

    message: EventMessage
    results: Sequence[FannedOut | Rejected]


type Result = FannedOut | Rejected | Failed | FannedOutArray
