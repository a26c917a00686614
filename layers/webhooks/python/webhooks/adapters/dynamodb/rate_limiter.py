"""Slots of limited senders and callers in DynamoDB, by virtual scheduling (GCRA): one write has several.

An item has the time `tat` at which the next slot is free, in epoch microseconds: milliseconds would round the
slots of a rate of 300. A write either begins anew at now, where that time is past, or adds to it. Each says
so in its condition, so that no two reserve the same slot, however many write at once.
"""

import math
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from webhooks.adapters.aws.errors import error_code, unavailable
from webhooks.adapters.dynamodb.items import Item, ItemKey, key
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.errors import UnavailableError

MICROSECONDS = 1_000_000
KEPT_SECONDS = 30 * 86_400  # an item without writes for so long expires; no slot is that far
REMEMBERED = 4096  # names whose time is known, so that the first write of two is the one that holds
TRIES = 3  # another begins meanwhile, and ours must add to it: no more than that can happen


PREFIX = "rate#"  # of the keys in the access table


def slots_key(name: str) -> ItemKey:
    """Return the key of a name's item in the deliveries table."""
    return key(f"L#{name}", "L")


def access_key(name: str) -> ItemKey:
    """Return the key of a name's item in the access table."""
    return key(f"{PREFIX}{name}")


class DynamoRateLimiter:
    """Slots in the deliveries table, or in another one by its keys."""

    def __init__(self, table: Table, *, item_key: Callable[[str], ItemKey] = slots_key) -> None:
        self._table = table
        self._item_key = item_key
        self._free_at: dict[str, int] = {}  # at least so late is the next slot free

    def reserve(self, name: str, count: int, *, rate: float, now: int) -> int:
        """Reserve `count` slots at `rate` per second; return the time of the first, epoch ms.

        Raises UnavailableError.
        """
        now_us, span = now * 1000, -(-count * MICROSECONDS // rate)
        begins = self._free_at.get(name, 0) <= now_us
        for _ in range(TRIES):
            first = self._begin(name, now_us, int(span)) if begins else self._add(name, now_us, int(span))
            if first is not None:
                self._remember(name, first + int(span))
                return -(-first // 1000)
            begins = not begins
        raise UnavailableError("dynamodb UpdateItem: the slots changed at every try")

    def take(self, name: str, *, rate: float, now: int, count: int = 1, burst: int = 1) -> bool:
        """Take `count` slots if `burst` of them hold those of now too; tell whether they did.

        A refusal reserves nothing, and costs no write where a write before has shown it.

        Raises UnavailableError.
        """
        now_us, slot = now * 1000, MICROSECONDS / rate
        span, latest = math.ceil(count * slot), now_us + int((burst - count) * slot)
        known = self._free_at.get(name, 0)
        if count > burst or known > max(now_us, latest):
            return False
        if known <= now_us and self._begin(name, now_us, span) is not None:
            self._remember(name, now_us + span)
            return True
        # The next free slot is later than now. It never becomes earlier: so a refusal here is final.
        first = None if latest <= now_us else self._add(name, now_us, span, latest=latest)
        self._remember(name, max(now_us, latest) + 1 if first is None else first + span)
        return first is not None

    def _remember(self, name: str, free_at: int) -> None:
        if name not in self._free_at and len(self._free_at) >= REMEMBERED:
            self._free_at.clear()
        self._free_at[name] = free_at

    def _begin(self, name: str, now: int, span: int) -> int | None:
        """Reserve slots from now on, where all before are past."""
        values = {":next": {"N": str(now + span)}, ":now": {"N": str(now)}}
        condition = "attribute_not_exists(tat) OR tat <= :now"
        return None if self._write(name, ":next", condition, values=values, now=now) is None else now

    def _add(self, name: str, now: int, span: int, *, latest: int | None = None) -> int | None:
        """Reserve slots behind those that are reserved; only where these end by `latest`, if given."""
        values, condition = {":span": {"N": str(span)}, ":now": {"N": str(now)}}, "tat > :now"
        if latest is not None:
            values[":latest"] = {"N": str(latest)}
            condition += " AND tat <= :latest"
        before = self._write(name, "tat + :span", condition, values=values, now=now)
        return None if before is None else int(before["tat"]["N"])

    def _write(self, name: str, tat: str, condition: str, *, values: Item, now: int) -> Item | None:
        """Return the item's attributes as they were; None where the condition does not hold."""
        request: dict[str, Any] = {
            "TableName": self._table.name,
            "Key": self._item_key(name),
            "UpdateExpression": f"SET tat = {tat}, expiresAt = :end",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": values | {":end": {"N": str(now // MICROSECONDS + KEPT_SECONDS)}},
            "ReturnValues": "UPDATED_OLD",
        }
        with unavailable("dynamodb UpdateItem"):
            try:
                response = self._table.aws.dynamodb.update_item(**request)
            except ClientError as error:
                if error_code(error) == "ConditionalCheckFailedException":
                    return None
                raise
        found: Item = response.get("Attributes", {})
        return found
