"""DynamoDB tables in memory that count the billed units of their calls.

They take the expressions that the adapters send, and raise for any other.
"""

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.aws_stub.expressions import (
    LAST,
    UnknownRequestError,
    check_parameters,
    holds,
    key_range,
    projected,
    update_item,
)
from tests.aws_stub.indexes import INDEXES, Index, index_units
from tests.aws_stub.item_size import READ_UNIT, WRITE_UNIT, units
from tests.aws_stub.partition import Partition
from tests.aws_stub.responses import Respond
from webhooks.adapters.dynamodb.items import Item

PAGE, BATCH = 1024 * 1024, 16 * 1024 * 1024  # bytes that a Query and a BatchGetItem read at most
MAX_KEYS = 100  # of a BatchGetItem, and actions of a transaction
MAX_WRITES = 25  # of a BatchWriteItem
BETWEEN = "\0"  # in an index's sort key, before the keys of the item: more of them may have the same one


class RefusedError(Exception):
    """A condition does not hold, which is a mistake in a test without races."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one operation. `cpu`: seconds, without those of the tables."""

    cpu: float
    calls: float
    read_units: float
    write_units: float


class Tables:
    """Responds for `stub_aws`. `others`: canned responses of operations that are not DynamoDB's.

    Tables have the indexes that template.yaml gives to those of their names; `index_writes`: their billed units.
    `written`: the billed units of each partition, by the table's or index's name and the partition key.
    """

    def __init__(self, others: Mapping[str, bytes] | None = None) -> None:
        self._others = others or {}
        self._partitions: dict[tuple[str, str], Partition] = {}
        self._cpu = 0.0
        self._read_units = 0.0
        self._write_units = 0
        self.index_writes = 0
        self.written: Counter[tuple[str, str]] = Counter()
        self.calls: Counter[str] = Counter()

    def load(self, table: str, items: Iterable[Item]) -> None:
        """Store items as the adapters write them. It is not billed."""
        for item in items:
            before = self._item(table, item) if table in INDEXES else None
            self._store(table, item)
            if table in INDEXES:
                self._change_indexes(table, before, item)

    def items(self, table: str) -> list[Item]:
        """Return all items of a table. It is not billed."""
        return [
            json.loads(text)
            for (owner, _), partition in sorted(self._partitions.items())
            if owner == table
            for text, _ in partition.items.values()
        ]

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
            case "BatchWriteItem":
                return self._write_batch(request["RequestItems"])
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
        table, index = request["TableName"], request.get("IndexName")
        if index and request.get("ConsistentRead"):
            raise UnknownRequestError("Query: an index cannot be read consistently")
        partition = self._partitions.get((_index_table(table, index) if index else table, pk), Partition())
        start = request.get("ExclusiveStartKey")
        after = (_index_sk(start, INDEXES[table][index]) if index else start["sk"]["S"]) if start else None
        high = high + BETWEEN + LAST if index else high
        texts: list[str] = []
        whole, examined, last, more, limit = 0, 0, "", "", request.get("Limit", math.inf)
        for sk in partition.between(low, high, after=after, forward=request.get("ScanIndexForward", True)):
            text, size = partition.items[sk]
            if whole + size > PAGE or examined == limit:
                more = f',"LastEvaluatedKey":{json.dumps(self._start_key(last, partition, request))}'
                break
            if _is_wanted(text, request):
                texts.append(projected(text, request))
            whole, examined, last = whole + size, examined + 1, sk
        self._bill_read(whole, request)
        counts = f'"Count":{len(texts)},"ScannedCount":{examined}'
        if request.get("Select") == "COUNT":
            return f"{{{counts}{more}}}"
        return f'{{"Items":[{",".join(texts)}],{counts}{more}}}'

    def _start_key(self, sk: str, partition: Partition, request: Mapping[str, Any]) -> Item:
        item = json.loads(partition.items[sk][0])
        index = request.get("IndexName")
        named = INDEXES[request["TableName"]][index] if index else None
        names = ("pk", "sk", *((named.partition, named.sort) if named else ()))
        return {name: item[name] for name in names}

    def _write_batch(self, tables: Mapping[str, list[dict[str, Any]]]) -> str:
        writes = [
            (table, kind, write)
            for table, asked in tables.items()
            for each in asked
            for kind, write in each.items()
        ]
        keys = {(table, *_primary_key(_item_key(write))) for table, _, write in writes}
        if len(writes) > MAX_WRITES or len(keys) < len(writes):
            raise UnknownRequestError("BatchWriteItem: too many items, or one of them twice")
        for table, kind, write in writes:
            self._write(f"{kind.removesuffix('Request')}Item", {**write, "TableName": table}, times=1)
        return '{"UnprocessedItems":{}}'

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
        item_before = self._item(table, key) if table in INDEXES else None
        match kind:
            case "PutItem":
                after = self._store(table, request["Item"])
            case "UpdateItem":
                item = self._item(table, key) or dict(key)
                updated = update_item(item, request)
                after = self._store(table, item)
                response = json.dumps({"Attributes": updated}) if request.get("ReturnValues") else "{}"
            case "ConditionCheckItem":
                after = before
            case "DeleteItem" if before:
                pk, sk = _primary_key(key)
                partition = self._partitions[table, pk]
                partition.remove(sk)
        billed = times * units(max(before, after), WRITE_UNIT)
        self._write_units += billed
        self.written[table, _primary_key(key)[0]] += billed
        if table in INDEXES:
            changed = self._change_indexes(table, item_before, self._item(table, key))
            self.index_writes += changed
            self._write_units += changed
        return response

    def _change_indexes(self, table: str, before: Item | None, after: Item | None) -> int:
        """Keep a table's indexes; return the billed units."""
        billed = 0
        for name, index in INDEXES[table].items():
            old, new = index.line(before), index.line(after)
            billed += index_units(old, new, index)
            if old and new and old[index.partition] != new[index.partition]:
                parts = [(old, index_units(old, None, index)), (new, index_units(None, new, index))]
            else:
                parts = [(new or old or {}, index_units(old, new, index))]
            for line, part in parts:
                if part:
                    self.written[_index_table(table, name), line[index.partition]["S"]] += part
            if old and old != new:
                partition = self._partitions[_index_table(table, name), old[index.partition]["S"]]
                partition.remove(_index_sk(old, index))
            if new and old != new:
                pair = (_index_table(table, name), new[index.partition]["S"])
                self._partitions.setdefault(pair, Partition()).put(_index_sk(new, index), new)
        return billed

    def _bill_read(self, size: int, request: Mapping[str, Any]) -> None:
        billed = units(size, READ_UNIT)
        self._read_units += billed if request.get("ConsistentRead") else billed / 2

    def _store(self, table: str, item: Item) -> int:
        pk, sk = _primary_key(item)
        return self._partitions.setdefault((table, pk), Partition()).put(sk, item)

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


def _is_wanted(text: str, request: dict[str, Any]) -> bool:
    """Tell whether an item passes a query's filter."""
    condition = request.get("FilterExpression")
    if condition is None:
        return True
    item = json.loads(text)
    return all(holds(term, item, request) for term in condition.split(" AND "))


def _index_table(table: str, index: str) -> str:
    return f"{table}/{index}"


def _index_sk(line: Item, index: Index) -> str:
    return BETWEEN.join((line[index.sort]["S"], line["pk"]["S"], line["sk"]["S"]))


def _primary_key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"] if "sk" in item else ""


def _item_key(request: dict[str, Any]) -> Item:
    found: Item = request["Key"] if "Key" in request else request["Item"]
    return found
