"""The packs of a batch that go to the slow lane: retries, and what is not attempted yet."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from webhooks.domain.delivery import Pack
from webhooks.domain.retry import RetryAfter
from webhooks.services.dispatch.stages import Decided, Decoded, Deferred, Searched, Stage


def requeued_packs(stages: Iterable[Stage]) -> list[tuple[Pack, int]]:
    """Put retries, deferred and searched deliveries into packs: one of each kind for a pack with such.

    The longest delay holds for all retries of a pack. A retry has no slot within a rate limit yet; one that
    is searched keeps its slot. The search of a pack goes on behind the first place of its deliveries.
    """
    packs: dict[tuple[str, type[Stage]], list[tuple[Decoded, int]]] = defaultdict(list)
    places: dict[str, str] = {}
    for stage in stages:
        match stage:
            case Decided(verdict=RetryAfter(delay)):
                packs[stage.decoded.message.id, Decided].append((stage.decoded, delay))
            case Deferred():
                packs[stage.decoded.message.id, Deferred].append((stage.decoded, 0))
            case Searched(place=place):
                message = stage.decoded.message.id
                packs[message, Searched].append((stage.decoded, 0))
                places[message] = min(place, places.get(message, place))
    return [
        (
            replace(
                again[0][0].pack,
                deliveries=tuple(each.delivery for each, _ in again),
                due=again[0][0].pack.due if kind is Searched else None,
                looked_to=places[message] if kind is Searched else None,
            ),
            max(delay for _, delay in again),
        )
        for (message, kind), again in packs.items()
    ]
