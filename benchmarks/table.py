"""DynamoDB at the wire: tables in memory that know what their calls would be billed.

They take the expressions that the adapters send, and raise for any other.
"""

import json
import math
import re
import time
from base64 import b64decode, b64encode
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.wire import Answer
from webhooks.adapters.dynamodb.items import Item

READ_UNIT, WRITE_UNIT = 4096, 1024  # bytes
PAGE, BATCH = 1024 * 1024, 16 * 1024 * 1024  # bytes that a Query and a BatchGetItem read at most
MAX_KEYS = 100  # of a BatchGetItem, and actions of a transaction
LAST = "\U0010ffff"  # sorts behind every sort key

_RANGE = re.compile(r"pk = (:\w+)(?: AND (?:begins_with\(sk, (:\w+)\)|sk BETWEEN (:\w+) AND (:\w+)))?")
_TERM = re.compile(r"attribute_not_exists\((?P<absent>\w+)\)|(?P<name>#?\w+) (?P<sign>=|<=) (?P<value>:\w+)")
_CLAUSE = re.compile(r"(SET|REMOVE|ADD) (.+?)(?: (?=SET |REMOVE |ADD )|$)")
_NAMED = {"TableName", "ExpressionAttributeNames"}
_READ = {*_NAMED, "ConsistentRead", "ProjectionExpression"}
_WRITTEN = {*_NAMED, "ConditionExpression", "ExpressionAttributeValues"}
_PARAMETERS = {
    "GetItem": {*_READ, "Key"},
    "BatchGetItem": {"RequestItems"},
    "Keys": {*_READ, "Keys"},
    "Query": {
        *(*_READ, "KeyConditionExpression", "ExpressionAttributeValues"),
        *("ScanIndexForward", "ExclusiveStartKey", "Limit"),
    },
    "PutItem": {*_WRITTEN, "Item"},
    "DeleteItem": {*_WRITTEN, "Key"},
    "UpdateItem": {*_WRITTEN, "Key", "UpdateExpression", "ReturnValues"},
    "TransactWriteItems": {"TransactItems", "ClientRequestToken"},
}


class UnknownRequestError(Exception):
    """A request that these tables do not understand."""


class RefusedError(Exception):
    """A condition does not hold: where nobody races, that is a mistake."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What an operation costs. `cpu`: seconds, without those that the tables took."""

    cpu: float
    calls: float
    read_units: float
    write_units: float


@dataclass(slots=True)
class _Partition:
    """Items by sort key: an item as it is on the wire, and its size."""

    keys: list[str] = field(default_factory=list)
    items: dict[str, tuple[str, int]] = field(default_factory=dict)

    def between(self, low: str, high: str, *, after: str | None, forward: bool) -> Iterable[str]:
        first, end = bisect_left(self.keys, low), bisect_right(self.keys, high)
        if after is not None and forward:
            first = max(first, bisect_right(self.keys, after))
        elif after is not None:
            end = min(end, bisect_left(self.keys, after))
        places = range(first, end)
        return (self.keys[place] for place in (places if forward else reversed(places)))


class Tables:
    """Answers for `wire.attach`. Operations that are in `others` are answered with its bytes."""

    def __init__(self, others: Mapping[str, bytes] | None = None) -> None:
        self._others = others or {}
        self._partitions: dict[tuple[str, str], _Partition] = {}
        self._cpu = 0.0
        self._read_units = 0.0
        self._write_units = 0
        self.calls: Counter[str] = Counter()

    def load(self, table: str, items: Iterable[Item]) -> None:
        """Store items as the adapters write them; that costs nothing."""
        for item in items:
            self._store(table, item)

    def cost(self, work: Callable[[], int]) -> Cost:
        """Do some work and return what an operation of it costs; the work says how many there were."""
        before = self._spent()
        operations = work()
        return Cost(*((now - then) / operations for now, then in zip(self._spent(), before, strict=True)))

    def response(self, operation: str, body: bytes) -> bytes:
        """Answer a call."""
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
        _check_parameters(operation, request)
        match operation:
            case "GetItem":
                text, size = self._stored(request["TableName"], request["Key"])
                self._bill_read(size, request)
                return f'{{"Item":{_projected(text, request)}}}' if text else "{}"
            case "BatchGetItem":
                return self._get_batch(request["RequestItems"])
            case "Query":
                return self._query(request)
            case "TransactWriteItems":
                return self._transact(request["TransactItems"])
        self._check_condition(request)
        return self._write(operation, request, times=1)

    def _get_batch(self, tables: Mapping[str, dict[str, Any]]) -> str:
        places = [(table, *_place(key)) for table, asked in tables.items() for key in asked["Keys"]]
        if len(places) > MAX_KEYS or len(set(places)) < len(places):
            raise UnknownRequestError("BatchGetItem: too many keys, or one of them twice")
        responses, whole = [], 0
        for table, asked in tables.items():
            _check_parameters("Keys", asked)
            found = [self._stored(table, key) for key in asked["Keys"]]
            for _, size in found:
                self._bill_read(size, asked)
                whole += size
            texts = ",".join(_projected(text, asked) for text, _ in found if text)
            responses.append(f'"{table}":[{texts}]')
        if whole > BATCH:
            raise UnknownRequestError("BatchGetItem: more than one answer holds")
        return f'{{"Responses":{{{",".join(responses)}}},"UnprocessedKeys":{{}}}}'

    def _query(self, request: dict[str, Any]) -> str:
        pk, low, high = _range(request)
        partition = self._partitions.get((request["TableName"], pk), _Partition())
        after = request.get("ExclusiveStartKey", {}).get("sk", {}).get("S")
        texts: list[str] = []
        whole, last, more, limit = 0, "", "", request.get("Limit", math.inf)
        for sk in partition.between(low, high, after=after, forward=request.get("ScanIndexForward", True)):
            text, size = partition.items[sk]
            if whole + size > PAGE or len(texts) == limit:
                more = f',"LastEvaluatedKey":{json.dumps({"pk": {"S": pk}, "sk": {"S": last}})}'
                break
            texts.append(_projected(text, request))
            whole, last = whole + size, sk
        self._bill_read(whole, request)
        return f'{{"Items":[{",".join(texts)}],"Count":{len(texts)}{more}}}'

    def _transact(self, actions: Sequence[dict[str, Any]]) -> str:
        writes = [(f"{kind}Item", request) for action in actions for kind, request in action.items()]
        places = {(request["TableName"], *_place(_key(request))) for _, request in writes}
        if len(writes) > MAX_KEYS or len(places) < len(writes):
            raise UnknownRequestError("TransactWriteItems: too many actions, or two of one item")
        for kind, request in writes:
            _check_parameters(kind, request)
            self._check_condition(request)
        for kind, request in writes:
            self._write(kind, request, times=2)  # a transaction is billed twice
        return "{}"

    def _check_condition(self, request: dict[str, Any]) -> None:
        condition = request.get("ConditionExpression")
        item = self._item(request["TableName"], _key(request)) or {}
        if condition and not any(_holds(term, item, request) for term in condition.split(" OR ")):
            raise RefusedError(f"{condition}: {_key(request)}")

    def _write(self, kind: str, request: dict[str, Any], *, times: int) -> str:
        table, place = request["TableName"], _key(request)
        before, after, response = self._stored(table, place)[1], 0, "{}"
        match kind:
            case "PutItem":
                after = self._store(table, request["Item"])
            case "UpdateItem":
                item = self._item(table, place) or dict(place)
                updated = _update(item, request)
                after = self._store(table, item)
                response = json.dumps({"Attributes": updated}) if request.get("ReturnValues") else "{}"
            case "DeleteItem" if before:
                pk, sk = _place(place)
                partition = self._partitions[table, pk]
                del partition.items[sk], partition.keys[bisect_left(partition.keys, sk)]
        self._write_units += times * _units(max(before, after), WRITE_UNIT)
        return response

    def _bill_read(self, size: int, request: Mapping[str, Any]) -> None:
        units = _units(size, READ_UNIT)
        self._read_units += units if request.get("ConsistentRead") else units / 2

    def _store(self, table: str, item: Item) -> int:
        pk, sk = _place(item)
        partition = self._partitions.setdefault((table, pk), _Partition())
        if sk not in partition.items:
            insort(partition.keys, sk)
        size = sum(map(_bytes, item.items()))
        partition.items[sk] = json.dumps(item, default=lambda raw: b64encode(raw).decode()), size
        return size

    def _stored(self, table: str, place: Item) -> tuple[str, int]:
        pk, sk = _place(place)
        partition = self._partitions.get((table, pk))
        return partition.items.get(sk, ("", 0)) if partition else ("", 0)

    def _item(self, table: str, place: Item) -> Item | None:
        text, _ = self._stored(table, place)
        return json.loads(text) if text else None


def recalled(response: Answer) -> Answer:
    """Answer what was asked before with the same bytes: a lookup is all that a repeated read costs."""
    known: dict[tuple[str, bytes], bytes] = {}

    def answered(operation: str, body: bytes) -> bytes:
        found = known.get((operation, body))
        if found is None:
            found = known[operation, body] = response(operation, body)
        return found

    return answered


def _check_parameters(operation: str, request: dict[str, Any]) -> None:
    if unknown := request.keys() - _PARAMETERS.get(operation, set()):
        raise UnknownRequestError(f"{operation}: {', '.join(sorted(unknown))}")


def _units(size: int, unit: int) -> int:
    return max(1, -(-size // unit))


def _place(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"] if "sk" in item else ""


def _key(request: dict[str, Any]) -> Item:
    found: Item = request["Key"] if "Key" in request else request["Item"]
    return found


def _bytes(attribute: tuple[str, Mapping[str, Any]]) -> int:
    """Return the size of an attribute's name and value, as DynamoDB's guide says it."""
    name, ((kind, value),) = attribute[0], attribute[1].items()
    match kind:
        case "S":
            return len(name) + len(value.encode())
        case "N":  # a byte for two digits, and one
            return len(name) + (len(value) + 1) // 2 + 1
        case "B":
            return len(name) + len(value if isinstance(value, bytes) else b64decode(value))
        case "BOOL":
            return len(name) + 1
    raise UnknownRequestError(f"a value of type {kind}")


def _projected(text: str, request: Mapping[str, Any]) -> str:
    if "ProjectionExpression" not in request:
        return text
    names = [_name(name.strip(), request) for name in request["ProjectionExpression"].split(",")]
    item = json.loads(text)
    return json.dumps({name: item[name] for name in names if name in item})


def _name(written: str, request: Mapping[str, Any]) -> str:
    return request["ExpressionAttributeNames"][written] if written.startswith("#") else written


def _range(request: dict[str, Any]) -> tuple[str, str, str]:
    """Return the partition of a query, and the lowest and the highest sort key."""
    condition, values = request["KeyConditionExpression"], request["ExpressionAttributeValues"]
    found = _RANGE.fullmatch(condition)
    if found is None:
        raise UnknownRequestError(condition)
    pk, prefix, low, high = (values[name]["S"] if name else "" for name in found.groups())
    return (pk, low, high) if high else (pk, prefix, prefix + LAST)


def _holds(term: str, item: Item, request: dict[str, Any]) -> bool:
    found = _TERM.fullmatch(term)
    if found is None:
        raise UnknownRequestError(term)
    if found["absent"]:
        return found["absent"] not in item
    value = item.get(_name(found["name"], request))
    ((kind, wanted),) = request["ExpressionAttributeValues"][found["value"]].items()
    if value is None or kind not in value:
        return False
    have, wanted = (int(value[kind]), int(wanted)) if kind == "N" else (value[kind], wanted)
    return have == wanted if found["sign"] == "=" else have <= wanted


def _update(item: Item, request: dict[str, Any]) -> Item:
    """Change the item; returns the attributes that it has now."""
    expression, updated = request["UpdateExpression"], {}
    clauses = list(_CLAUSE.finditer(expression))
    if "".join(clause[0] for clause in clauses) != expression:
        raise UnknownRequestError(expression)
    for verb, parts in (clause.groups() for clause in clauses):
        for part in parts.split(", "):
            written, *rest = part.split(" ")
            name = _name(written, request)
            match verb, rest:
                case "SET", ["=", value]:
                    item[name] = updated[name] = request["ExpressionAttributeValues"][value]
                case "ADD", [value]:
                    number = int(request["ExpressionAttributeValues"][value]["N"])
                    item[name] = updated[name] = {"N": str(int(item.get(name, {"N": 0})["N"]) + number)}
                case "REMOVE", []:
                    item.pop(name, None)
                case _:
                    raise UnknownRequestError(expression)
    return updated
