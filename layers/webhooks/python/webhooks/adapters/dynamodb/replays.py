"""Replays in the deliveries table: every change is one conditional write.

A community's running replays are named by one item, which each begin and end changes in the same transaction.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from webhooks.adapters.aws.errors import error_code, unavailable
from webhooks.adapters.dynamodb.items import Item, ItemKey
from webhooks.adapters.dynamodb.replay_items import (
    CLAIMED_UNTIL,
    HOLDER,
    PLAN,
    expires_at,
    plan_attribute,
    progress,
    replay_from,
    replay_item,
    replay_key,
    replays_pk,
    request_key,
    running_key,
)
from webhooks.adapters.dynamodb.table import Table, call
from webhooks.domain.delivery import ReleaseKind
from webhooks.domain.errors import StaleError, TooManyReplaysError, UnavailableError
from webhooks.domain.replay import PagePlan, Replay
from webhooks.domain.scope import Scope

REFUSED = "ConditionalCheckFailed"
UNCLAIMED = f"(attribute_not_exists(#{CLAIMED_UNTIL}) OR #{CLAIMED_UNTIL} <= :now OR #{HOLDER} = :me)"
TRIES = 4  # of a transaction that meets another one at the same items


class DynamoReplays:
    """The replays among the items of the deliveries table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, replay: Replay, *, key: str | None = None, limit: int | None = None) -> Replay:
        """Store a new replay and return it, or return the one that is stored under the key already.

        A call that is repeated because its response was lost finds its own. Raises TooManyReplaysError,
        UnavailableError.
        """
        puts = [self._put(replay_item(replay))]
        if key is not None:
            named = {"replayId": {"S": replay.id}, "expiresAt": expires_at(replay.updated_at)}
            puts.append(self._put(request_key(replay.scope, key) | named))
        if limit is not None and replay.kind is ReleaseKind.REPLAY:
            puts.append(self._begin(replay, limit))
        refused = self._transact(puts)
        if not refused:
            return replay
        if key is not None and (known := self.find(replay.scope, key)):
            return known
        if 0 in refused and (known := self.get(replay.scope, replay.id)):
            return known
        if limit is not None and len(puts) - 1 in refused:
            raise TooManyReplaysError(limit)
        raise UnavailableError("dynamodb TransactWriteItems: the replay was removed meanwhile")

    def find(self, scope: Scope, key: str) -> Replay | None:
        """Return the replay that is stored under a request's key."""
        named = self._table.get(request_key(scope, key))
        return self.get(scope, named["replayId"]["S"]) if named else None

    def get(self, scope: Scope, replay_id: str) -> Replay | None:
        """Return a replay as it is now. Raises CorruptError."""
        item = self._table.get(replay_key(scope, replay_id))
        return replay_from(scope, item) if item else None

    def running(self, scope: Scope) -> Sequence[Replay]:
        """Return a community's running replays; frees the places of those that are gone or ended."""
        named = self._table.get(running_key(scope)) or {}
        found = {each: self.get(scope, each) for each in sorted(named.get("ids", {"SS": []})["SS"])}
        running = [replay for replay in found.values() if replay and replay.is_running]
        if lost := sorted(found.keys() - {replay.id for replay in running}):  # none of them runs ever again
            with suppress(StaleError):  # others freed them
                self._write(self._freed(scope, lost) | {"ConditionExpression": "attribute_exists(#ids)"})
        return running

    def newest(self, scope: Scope, *, after: str | None, size: int) -> Sequence[Replay]:
        """Return replays of a community, the newest first; `after`: the last id of the page before."""
        request: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": replays_pk(scope)}},
            "ScanIndexForward": False,
            "ConsistentRead": True,
            "Limit": size,
        }
        if after is not None:
            request["ExclusiveStartKey"] = replay_key(scope, after)
        items = call(self._table.aws, "query", TableName=self._table.name, **request)["Items"]
        return [replay_from(scope, item) for item in items]

    def claim(self, replay: Replay, plan: PagePlan, *, holder: str, until: int, now: int) -> None:
        """Let a message alone work on the replay's present page. Raises StaleError, UnavailableError."""
        update = self._update(
            replay,
            {PLAN: plan_attribute(plan), HOLDER: {"S": holder}, CLAIMED_UNTIL: {"N": str(until)}},
            removed=(),
            condition=UNCLAIMED,
            values={":now": {"N": str(now)}, ":me": {"S": holder}},
        )
        self._write(update)

    def change(self, before: Replay, after: Replay) -> None:
        """Write a replay's progress. Raises StaleError, UnavailableError."""
        attributes = progress(after)
        removed = [name for name, value in attributes.items() if value is None]
        if after.page != before.page:
            removed += [PLAN, CLAIMED_UNTIL]
        written = {name: value for name, value in attributes.items() if value is not None}
        update = self._update(before, written, removed=removed)
        if before.is_running and not after.is_running and before.kind is ReleaseKind.REPLAY:
            if self._transact([{"Update": update}, self._end(after)]):
                raise StaleError
            return
        self._write(update)

    def _put(self, item: Item) -> dict[str, Any]:
        condition = "attribute_not_exists(pk)"
        return {"Put": {"TableName": self._table.name, "Item": item, "ConditionExpression": condition}}

    def _begin(self, replay: Replay, limit: int) -> dict[str, Any]:
        """Return the action that names a replay as running, where fewer than the limit are."""
        return {
            "Update": {
                "TableName": self._table.name,
                "Key": running_key(replay.scope),
                "UpdateExpression": "ADD #ids :id",
                "ConditionExpression": "attribute_not_exists(#ids) OR size(#ids) < :limit",
                "ExpressionAttributeNames": {"#ids": "ids"},
                "ExpressionAttributeValues": {":id": {"SS": [replay.id]}, ":limit": {"N": str(limit)}},
            }
        }

    def _end(self, replay: Replay) -> dict[str, Any]:
        return {"Update": self._freed(replay.scope, [replay.id])}

    def _freed(self, scope: Scope, ids: Sequence[str]) -> dict[str, Any]:
        """Return the update that names replays as running no more."""
        return {
            "TableName": self._table.name,
            "Key": running_key(scope),
            "UpdateExpression": "DELETE #ids :ended",
            "ExpressionAttributeNames": {"#ids": "ids"},
            "ExpressionAttributeValues": {":ended": {"SS": list(ids)}},
        }

    def _update(
        self,
        before: Replay,
        written: Mapping[str, Item],
        *,
        removed: Sequence[str],
        condition: str = "",
        values: ItemKey | None = None,
    ) -> dict[str, Any]:
        """Return the update of a replay that is still at the page and in the state of `before`."""
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in written)
        if removed:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in removed)
        names = {*written, *removed, "page", "state", *((CLAIMED_UNTIL, HOLDER) if condition else ())}
        return {
            "TableName": self._table.name,
            "Key": replay_key(before.scope, before.id),
            "UpdateExpression": expression,
            "ConditionExpression": " AND ".join(
                filter(None, ("#page = :wasAtPage", "#state = :wasInState", condition))
            ),
            "ExpressionAttributeNames": {f"#{name}": name for name in sorted(names)},
            "ExpressionAttributeValues": {
                ":wasAtPage": {"N": str(before.page)},
                ":wasInState": {"S": before.state.value},
                **{f":{name}": value for name, value in written.items()},
                **(values or {}),
            },
        }

    def _write(self, update: dict[str, Any]) -> None:
        with unavailable("dynamodb UpdateItem"):
            try:
                self._table.aws.dynamodb.update_item(**update)
            except ClientError as error:
                if error_code(error) == "ConditionalCheckFailedException":
                    raise StaleError from None
                raise

    def _transact(self, actions: Sequence[Any]) -> set[int]:
        """Do all of the actions; return the positions of those whose conditions refused them all."""
        for tries in range(TRIES):
            with unavailable("dynamodb TransactWriteItems"):
                try:
                    self._table.aws.dynamodb.transact_write_items(TransactItems=list(actions))
                except ClientError as error:
                    reasons: Any = error.response.get("CancellationReasons")
                    if error_code(error) != "TransactionCanceledException" or not reasons:
                        raise
                else:
                    return set()
            refused = {at for at, reason in enumerate(reasons) if reason.get("Code") == REFUSED}
            if refused:
                return refused
            self._table.backoff.wait(tries)
        raise UnavailableError("dynamodb TransactWriteItems: other requests change the same items")
