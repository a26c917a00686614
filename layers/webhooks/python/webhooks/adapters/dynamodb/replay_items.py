"""Replays as items of the deliveries table, and back. They expire KEPT_DAYS after their last change."""

import json
from typing import Any

from webhooks.adapters.dynamodb.items import Item, key, require_form
from webhooks.domain.delivery import ReleaseKind
from webhooks.domain.delivery_log import LATEST, LogQuery, Outcome
from webhooks.domain.errors import CorruptError
from webhooks.domain.forms import REPLAY
from webhooks.domain.json_text import write_json
from webhooks.domain.replay import PagePlan, Replay, ReplayState
from webhooks.domain.scope import Scope
from webhooks.domain.text import camel_case

KEPT_DAYS = 30
DAY_MS = 86_400_000
NUMBERS = ("rate", "total", "sent", "without_payload", "passed_over", "page", "updated_at", "next_at", "idle")
PLAN, HOLDER, CLAIMED_UNTIL = "plan", "holder", "claimedUntil"


def replay_key(scope: Scope, replay_id: str) -> Item:
    """Return a replay's key."""
    return key(replays_pk(scope), replay_id)


def replays_pk(scope: Scope) -> str:
    """Return the partition of a community's replays, in the order of their ids."""
    return f"R#{scope.tenant_id}#{scope.community_id}"


def request_key(scope: Scope, request: str) -> Item:
    """Return the key of the item that names the replay which a request made."""
    return key(f"{replays_pk(scope)}#requests", request)


def running_key(scope: Scope) -> Item:
    """Return the key of the item that has the ids of a community's running replays."""
    return key(f"{replays_pk(scope)}#running", "running")


def expires_at(now: int) -> Item:
    """Return when an item that is written now may be removed; `now` in epoch ms."""
    return {"N": str((now + KEPT_DAYS * DAY_MS) // 1000)}


def replay_item(replay: Replay) -> Item:
    """Return a new replay's item."""
    item = replay_key(replay.scope, replay.id) | {
        "kind": {"S": replay.kind.value},
        "createdAt": {"N": str(replay.created_at)},
        "createdBy": {"S": replay.created_by.encode("utf-8", "backslashreplace").decode()},
    }
    if replay.query is not None:
        item["query"] = {"S": write_json(_query_to_json(replay.query))}
    if replay.deliveries:
        item["deliveries"] = {"S": ",".join(replay.deliveries)}
    return item | {name: value for name, value in progress(replay).items() if value is not None}


def progress(replay: Replay) -> dict[str, Item | None]:
    """Return the attributes that pages and a cancellation change, None for one that is not there."""
    attributes: dict[str, Item | None] = {
        camel_case(name): {"N": str(getattr(replay, name))} for name in NUMBERS
    }
    return attributes | {
        "state": {"S": replay.state.value},
        "after": {"S": replay.after} if replay.after else None,
        "reason": {"S": replay.reason} if replay.reason else None,
        "expiresAt": expires_at(replay.updated_at),
    }


def plan_attribute(plan: PagePlan) -> Item:
    """Return a plan as an attribute."""
    return {"S": write_json([plan.last, plan.sent, plan.without_payload])}


def replay_from(scope: Scope, item: Item) -> Replay:
    """Read a replay. Raises CorruptError."""
    try:
        require_form(item, REPLAY)
        return Replay(
            id=item["sk"]["S"],
            scope=scope,
            kind=ReleaseKind(item["kind"]["S"]),
            created_at=int(item["createdAt"]["N"]),
            created_by=item["createdBy"]["S"],
            query=_query_from(scope, json.loads(item["query"]["S"])) if "query" in item else None,
            deliveries=tuple(item["deliveries"]["S"].split(",")) if "deliveries" in item else (),
            state=ReplayState(item["state"]["S"]),
            after=_text(item, "after"),
            reason=_text(item, "reason"),
            plan=PagePlan(*json.loads(item[PLAN]["S"])) if PLAN in item else None,
            holder=_text(item, HOLDER),
            **{name: int(item[camel_case(name)]["N"]) for name in NUMBERS},
        )
    except (KeyError, TypeError, ValueError):
        raise CorruptError(f"the stored replay {item['sk']['S']} cannot be read") from None


def _text(item: Item, name: str) -> str | None:
    return item[name]["S"] if name in item else None


def _query_to_json(query: LogQuery) -> dict[str, Any]:
    return {
        "webhookId": query.webhook_id,
        "outcome": query.outcome.value if query.outcome else None,
        "eventName": query.event_name,
        "since": query.since,
        "until": query.until,
    }


def _query_from(scope: Scope, fields: dict[str, Any]) -> LogQuery:
    return LogQuery(
        scope,
        webhook_id=fields["webhookId"],
        outcome=Outcome(fields["outcome"]) if fields["outcome"] else None,
        event_name=fields["eventName"],
        since=int(fields.get("since", 0)),
        until=int(fields.get("until", LATEST)),
    )
