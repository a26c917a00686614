"""The packs of a batch that go to the slow lane: retries, and what is not attempted yet."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from webhooks.domain.delivery import Pack
from webhooks.domain.retry import RetryAfter
from webhooks.services.dispatch.stages import Decided, Decoded, Deferred, LookedFor, Stage


def requeued_packs(stages: Iterable[Stage]) -> list[tuple[Pack, int]]:
    """Put retries, deferred deliveries and those of looks that go on into packs: one of each kind for a pack.

    The longest delay holds for all retries of a pack. A retry has no slot within a rate limit yet; one that
    was looked for keeps its slot. The look for a pack goes on behind the first place of its deliveries.
    """
    packs: dict[tuple[str, type[Stage]], list[tuple[Decoded, int]]] = defaultdict(list)
    places: dict[str, str] = {}
    for stage in stages:
        match stage:
            case Decided(verdict=RetryAfter(delay)):
                packs[stage.decoded.message.id, Decided].append((stage.decoded, delay))
            case Deferred():
                packs[stage.decoded.message.id, Deferred].append((stage.decoded, 0))
            case LookedFor(place=place):
                message = stage.decoded.message.id
                packs[message, LookedFor].append((stage.decoded, 0))
                places[message] = min(place, places.get(message, place))
    return [
        (
            replace(
                again[0][0].pack,
                deliveries=tuple(each.delivery for each, _ in again),
                due=again[0][0].pack.due if kind is LookedFor else None,
                looked_to=places[message] if kind is LookedFor else None,
            ),
            max(delay for _, delay in again),
        )
        for (message, kind), again in packs.items()
    ]
