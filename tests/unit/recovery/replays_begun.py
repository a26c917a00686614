"""A replay as a tenant's request begins it, and its counts."""

from dataclasses import replace
from typing import Any

from tests.recovery_functions import SCOPE, RecoveryFunctions
from webhooks.domain.delivery import ReleaseKind
from webhooks.domain.delivery_log import LogQuery, Outcome
from webhooks.domain.replay import Replay, ReplayPage, ReplayState
from webhooks.domain.webhook import Webhook

ID = "00112233445566778899aabb"


def begin_replay(
    functions: RecoveryFunctions, webhook: Webhook, *, deliveries: tuple[str, ...] = (), **changes: Any
) -> Replay:
    """Store a replay of a webhook's dead deliveries, or of a list, and ask for its first page."""
    query = None if deliveries else LogQuery(SCOPE, webhook.id, Outcome.DEAD)
    query = replace(query, **changes.pop("query", {})) if query else None
    total = functions.log.count(query, at_most=1_000_000).deliveries if query else len(deliveries)
    replay = Replay(
        id=ID,
        scope=SCOPE,
        kind=ReleaseKind.REPLAY,
        rate=10,
        created_at=functions.now,
        created_by="tests",
        query=query,
        deliveries=deliveries,
        total=total,
        updated_at=functions.now,
    )
    replay = functions.replays.add(replace(replay, **changes), limit=10)
    functions.queue.send(ReplayPage(SCOPE, ID, 0), delay=0)
    return replay


def stored(functions: RecoveryFunctions) -> Replay:
    """Return the replay as it is now."""
    replay = functions.replays.get(SCOPE, ID)
    assert replay is not None
    return replay


def counts(functions: RecoveryFunctions) -> tuple[ReplayState, int, int, int, int]:
    """Return its state, and its total, sent, without payload, passed over."""
    replay = stored(functions)
    return replay.state, replay.total, replay.sent, replay.without_payload, replay.passed_over
