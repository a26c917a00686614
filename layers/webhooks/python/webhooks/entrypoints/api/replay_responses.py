"""Responses about replays."""

from collections.abc import Sequence
from typing import Any

from webhooks.domain.delivery_log import LATEST, LogCount, LogQuery
from webhooks.domain.event import iso_time
from webhooks.domain.replay import Replay
from webhooks.entrypoints.api.schemas.replay_out import (
    ReplayCountOut,
    ReplayFilterOut,
    ReplayOut,
    ReplaysOut,
)

NOTHING = "no delivery fits: nothing is sent"
NO_PAYLOADS = "the payload of none of them is kept: nothing is sent"


def replay_fields(replay: Replay) -> dict[str, Any]:
    """Return a replay as a JSON object."""
    return ReplayOut.of(
        replay,
        replay_id=replay.id,
        kind=replay.kind.value,
        state=replay.state.value,
        created_at=iso_time(replay.created_at),
        updated_at=iso_time(replay.updated_at),
        filter=_filter(replay.query) if replay.query else None,
        delivery_ids=replay.deliveries or None,
    )


def replays_page(replays: Sequence[Replay], *, cursor: str | None) -> dict[str, Any]:
    """Return a page of replays. `cursor`: of the next one."""
    return ReplaysOut.of(None, data=list(map(replay_fields, replays)), cursor=cursor)


def count_fields(count: LogCount) -> dict[str, Any]:
    """Return what a replay would send, as a JSON object; says where that is nothing."""
    message = None
    if count.deliveries == count.without_payload:
        message = NO_PAYLOADS if count.deliveries else NOTHING
    return ReplayCountOut.of(count, message=message)


def _filter(query: LogQuery) -> dict[str, Any]:
    return ReplayFilterOut.of(
        query,
        outcome=query.outcome and query.outcome.value,
        since=iso_time(query.since) if query.since > 0 else None,
        until=iso_time(query.until) if query.until < LATEST else None,
    )
