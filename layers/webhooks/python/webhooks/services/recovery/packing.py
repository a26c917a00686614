"""Packs deliveries for the slow lane, spread over time by a rate. Pure."""

from collections.abc import Sequence
from itertools import batched, groupby

from webhooks.domain.delivery import MAX_PACK_DELIVERIES, Pack, Release, pack_deliveries
from webhooks.domain.delivery_log import LogEntry


def spread(
    entries: Sequence[LogEntry], release: Release, *, rate: int, start: int, now: int
) -> list[tuple[Pack, int]]:
    """Return packs, each with the seconds after which it may be received: `rate` deliveries in each second.

    `start`: when the first may be sent, `now`: both in epoch ms. A pack has no more deliveries than a second.
    """
    packs: list[tuple[Pack, int]] = []
    position = 0
    ordered = sorted(entries, key=lambda entry: entry.key.webhook_id)  # each webhook's stay in their order
    for webhook_id, of_one in groupby(ordered, key=lambda entry: entry.key.webhook_id):
        for few in batched(of_one, min(MAX_PACK_DELIVERIES, rate), strict=False):
            deliveries = [entry.delivery for entry in few]
            for pack in pack_deliveries(webhook_id, few[0].scope, deliveries=deliveries, release=release):
                packs.append((pack, max(0, end_of(position, rate=rate, start=start) - now) // 1000))
                position += len(pack.deliveries)
    return packs


def end_of(count: int, *, rate: int, start: int) -> int:
    """Return when the next delivery may be sent after `count` at the rate, from `start`; in epoch ms."""
    return start + count * 1000 // rate
