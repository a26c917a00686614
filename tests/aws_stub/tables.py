"""DynamoDB tables in memory that count the billed units of their calls.

They take the expressions that the adapters send, and raise for any other.
"""

import json
import math
import time
from base64 import b64encode
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.aws_stub.expressions import (
    UnknownRequestError,
    check_parameters,
    holds,
    key_range,
    projected,
    update_item,
)
from tests.aws_stub.item_size import READ_UNIT, WRITE_UNIT, item_bytes, units
from tests.aws_stub.responses import Respond
from webhooks.adapters.dynamodb.items import Item

PAGE, BATCH = 1024 * 1024, 16 * 1024 * 1024  # bytes that a Query and a BatchGetItem read at most
MAX_KEYS = 100  # of a BatchGetItem, and actions of a transaction


class RefusedError(Exception):
    """A condition does not hold, which is a mistake in a test without races."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one operation. `cpu`: seconds, without those of the tables."""

    cpu: float
    calls: float
    read_units: float
    write_units: float


@dataclass(slots=True)
class _Partition:
    """Items by sort key, each as JSON with its size in bytes."""

    keys: list[str] = field(default_factory=list)
    items: dict[str, tuple[str, int]] = field(default_factory=dict)

    def between(self, low: str, high: str, *, after: str | None, forward: bool) -> Iterable[str]:
        first, end = bisect_left(self.keys, low), bisect_right(self.keys, high)
        if after is not None and forward:
            first = max(first, bisect_right(self.keys, after))
        elif after is not None:
            end = min(end, bisect_left(self.keys, after))
        positions = range(first, end)
        return (self.keys[each] for each in (positions if forward else reversed(positions)))


class Tables:
    """Responds for `stub_aws`. `others`: canned responses of operations that are not DynamoDB's."""

    def __init__(self, others: Mapping[str, bytes] | None = None) -> None:
        self._others = others or {}
        self._partitions: dict[tuple[str, str], _Partition] = {}
        self._cpu = 0.0
        self._read_units = 0.0
        self._write_units = 0
        self.calls: Counter[str] = Counter()

    def load(self, table: str, items: Iterable[Item]) -> None:
        """Store items as the adapters write them. It is not billed."""
        for item in items:
            self._store(table, item)

    def cost(self, work: Callable[[], int]) -> Cost:
        """Run `work`, which returns its number of operations; return the cost of one."""
        before = self._spent()
        operations = work()
        return Cost(*((now - then) / operations for now, then in zip(self._spent(), before, strict=True)))

    def response(self, operation: str, body: bytes) -> bytes:
        began = time.process_time()
        self.calls[operation] += 1
        response = self._others.get(operation)
        if response is None:
            response = self._response(operation, json.loads(body)).encode()
        self._cpu += time.process_time() - began
        return response

    def _spent(self) -> tuple[float, int, float, int]:
        cpu = time.process_time() - self._cpu
        return cpu, self.calls.total(), self._read_units, self._write_units

    def _response(self, operation: str, request: dict[str, Any]) -> str:
        check_parameters(operation, request)
        match operation:
            case "GetItem":
                text, size = self._stored(request["TableName"], request["Key"])
                self._bill_read(size, request)
                return f'{{"Item":{projected(text, request)}}}' if text else "{}"
            case "BatchGetItem":
                return self._get_batch(request["RequestItems"])
            case "Query":
                return self._query(request)
            case "TransactWriteItems":
                return self._transact(request["TransactItems"])
        self._check_condition(request)
        return self._write(operation, request, times=1)

    def _get_batch(self, tables: Mapping[str, dict[str, Any]]) -> str:
        keys = [(table, *_primary_key(key)) for table, asked in tables.items() for key in asked["Keys"]]
        if len(keys) > MAX_KEYS or len(set(keys)) < len(keys):
            raise UnknownRequestError("BatchGetItem: too many keys, or one of them twice")
        responses, whole = [], 0
        for table, asked in tables.items():
            check_parameters("Keys", asked)
            found = [self._stored(table, key) for key in asked["Keys"]]
            for _, size in found:
                self._bill_read(size, asked)
                whole += size
            texts = ",".join(projected(text, asked) for text, _ in found if text)
            responses.append(f'"{table}":[{texts}]')
        if whole > BATCH:
            raise UnknownRequestError("BatchGetItem: more than one response holds")
        return f'{{"Responses":{{{",".join(responses)}}},"UnprocessedKeys":{{}}}}'

    def _query(self, request: dict[str, Any]) -> str:
        pk, low, high = key_range(request)
        partition = self._partitions.get((request["TableName"], pk), _Partition())
        after = request.get("ExclusiveStartKey", {}).get("sk", {}).get("S")
        texts: list[str] = []
        whole, last, more, limit = 0, "", "", request.get("Limit", math.inf)
        for sk in partition.between(low, high, after=after, forward=request.get("ScanIndexForward", True)):
            text, size = partition.items[sk]
            if whole + size > PAGE or len(texts) == limit:
                more = f',"LastEvaluatedKey":{json.dumps({"pk": {"S": pk}, "sk": {"S": last}})}'
                break
            texts.append(projected(text, request))
            whole, last = whole + size, sk
        self._bill_read(whole, request)
        return f'{{"Items":[{",".join(texts)}],"Count":{len(texts)}{more}}}'

    def _transact(self, actions: Sequence[dict[str, Any]]) -> str:
        writes = [(f"{kind}Item", request) for action in actions for kind, request in action.items()]
        keys = {(request["TableName"], *_primary_key(_item_key(request))) for _, request in writes}
        if len(writes) > MAX_KEYS or len(keys) < len(writes):
            raise UnknownRequestError("TransactWriteItems: too many actions, or two of one item")
        for kind, request in writes:
            check_parameters(kind, request)
            self._check_condition(request)
        for kind, request in writes:
            self._write(kind, request, times=2)  # a transaction is billed twice
        return "{}"

    def _check_condition(self, request: dict[str, Any]) -> None:
        condition = request.get("ConditionExpression")
        item = self._item(request["TableName"], _item_key(request)) or {}
        if condition and not any(holds(term, item, request) for term in condition.split(" OR ")):
            raise RefusedError(f"{condition}: {_item_key(request)}")

    def _write(self, kind: str, request: dict[str, Any], *, times: int) -> str:
        table, key = request["TableName"], _item_key(request)
        before, after, response = self._stored(table, key)[1], 0, "{}"
        match kind:
            case "PutItem":
                after = self._store(table, request["Item"])
            case "UpdateItem":
                item = self._item(table, key) or dict(key)
                updated = update_item(item, request)
                after = self._store(table, item)
                response = json.dumps({"Attributes": updated}) if request.get("ReturnValues") else "{}"
            case "DeleteItem" if before:
                pk, sk = _primary_key(key)
                partition = self._partitions[table, pk]
                del partition.items[sk], partition.keys[bisect_left(partition.keys, sk)]
        self._write_units += times * units(max(before, after), WRITE_UNIT)
        return response

    def _bill_read(self, size: int, request: Mapping[str, Any]) -> None:
        billed = units(size, READ_UNIT)
        self._read_units += billed if request.get("ConsistentRead") else billed / 2

    def _store(self, table: str, item: Item) -> int:
        pk, sk = _primary_key(item)
        partition = self._partitions.setdefault((table, pk), _Partition())
        if sk not in partition.items:
            insort(partition.keys, sk)
        size = item_bytes(item)
        partition.items[sk] = json.dumps(item, default=lambda raw: b64encode(raw).decode()), size
        return size

    def _stored(self, table: str, key: Item) -> tuple[str, int]:
        pk, sk = _primary_key(key)
        partition = self._partitions.get((table, pk))
        return partition.items.get(sk, ("", 0)) if partition else ("", 0)

    def _item(self, table: str, key: Item) -> Item | None:
        text, _ = self._stored(table, key)
        return json.loads(text) if text else None


def remembered(respond: Respond) -> Respond:
    """Respond to a repeated request with the same bytes, at the cost of a lookup."""
    known: dict[tuple[str, bytes], bytes] = {}

    def response(operation: str, body: bytes) -> bytes:
        found = known.get((operation, body))
        if found is None:
            found = known[operation, body] = respond(operation, body)
        return found

    return response


def _primary_key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"] if "sk" in item else ""


def _item_key(request: dict[str, Any]) -> Item:
    found: Item = request["Key"] if "Key" in request else request["Item"]
    return found
