"""A replay as a tenant's request begins it, and its counts."""

from dataclasses import replace
from typing import Any

from tests.recovery_world import SCOPE, World
from webhooks.domain.delivery import ReleaseKind
from webhooks.domain.delivery_log import LogQuery, Outcome
from webhooks.domain.replay import Replay, ReplayPage, ReplayState
from webhooks.domain.webhook import Webhook

ID = "00112233445566778899aabb"


def begin_replay(
    world: World, webhook: Webhook, *, deliveries: tuple[str, ...] = (), **changes: Any
) -> Replay:
    """Store a replay of a webhook's dead deliveries, or of a list, and ask for its first page."""
    query = None if deliveries else LogQuery(SCOPE, webhook.id, Outcome.DEAD)
    query = replace(query, **changes.pop("query", {})) if query else None
    total = world.log.count(query, at_most=1_000_000).deliveries if query else len(deliveries)
    replay = Replay(
        id=ID,
        scope=SCOPE,
        kind=ReleaseKind.REPLAY,
        rate=10,
        created_at=world.now,
        created_by="tests",
        query=query,
        deliveries=deliveries,
        total=total,
        updated_at=world.now,
    )
    replay = world.replays.add(replace(replay, **changes), limit=10)
    world.queue.send(ReplayPage(SCOPE, ID, 0), delay=0)
    return replay


def stored(world: World) -> Replay:
    """Return the replay as it is now."""
    replay = world.replays.get(SCOPE, ID)
    assert replay is not None
    return replay


def counts(world: World) -> tuple[ReplayState, int, int, int, int]:
    """Return its state, and its total, sent, without payload, passed over."""
    replay = stored(world)
    return replay.state, replay.total, replay.sent, replay.without_payload, replay.passed_over
