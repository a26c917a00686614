"""The numbers of a batch of events, as its metrics have them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from webhooks.domain.event_slice import is_slice
from webhooks.services.fanout.stages import Cause, FannedOut, FannedOutArray, Rejected, Result


@dataclass(frozen=True, slots=True)
class FanoutCounts:
    """The events whose work began and ended in this batch, and the deliveries made of all.

    Slices are no events: a wide event counts when its first listeners are matched, and as matched. An array
    counts as its events, those that are sent on in the batch that takes them. `dead_lettered` is the sum of
    `invalid`, of `poisoned`, which are faults of the service, and of those that a costly query rejected.
    `repeated`: events that may have been sent before; they are counted as all others, too.
    """

    events: int = 0
    matched: int = 0
    unmatched: int = 0
    dead_lettered: int = 0
    invalid: int = 0
    poisoned: int = 0
    deliveries: int = 0
    repeated: int = 0


def fanout_counts(results: Sequence[Result]) -> FanoutCounts:
    """Count a batch by the results of its messages."""
    ended = [event for each in results for event in _events_of(each)]
    events = [each for each in ended if not is_slice(each.message.text)]
    rejected = [each for each in ended if isinstance(each, Rejected)]
    unmatched = sum(isinstance(each, FannedOut) and each.is_unmatched for each in events)
    return FanoutCounts(
        events=len(events),
        matched=sum(isinstance(each, FannedOut) for each in events) - unmatched,
        unmatched=unmatched,
        dead_lettered=len(rejected),
        invalid=sum(each.cause is Cause.PRODUCER for each in rejected),
        poisoned=sum(each.cause is Cause.FAULT for each in rejected),
        deliveries=sum(each.deliveries for each in ended),
        repeated=sum(isinstance(each, FannedOut) and each.is_repeated for each in events),
    )


def _events_of(result: Result) -> Sequence[FannedOut | Rejected]:
    if isinstance(result, FannedOutArray):
        return result.results
    return (result,) if isinstance(result, FannedOut | Rejected) else ()
