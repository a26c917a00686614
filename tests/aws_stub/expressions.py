"""The parameters and expressions that the DynamoDB adapters send. All others are refused."""

import json
import re
from collections.abc import Mapping
from typing import Any

from webhooks.adapters.dynamodb.items import Item

LAST = "\U0010ffff"  # sorts behind every sort key

_RANGE = re.compile(r"\w+ = (:\w+)(?: AND (?:begins_with\(sk, (:\w+)\)|sk BETWEEN (:\w+) AND (:\w+)))?")
_TERM = re.compile(r"attribute_not_exists\((?P<absent>\w+)\)|(?P<name>#?\w+) (?P<sign>=|<=) (?P<value>:\w+)")
_SIZE = re.compile(r"size\((\w+)\) < (:\w+)")  # of a set
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
        *("ScanIndexForward", "ExclusiveStartKey", "Limit", "IndexName", "Select", "FilterExpression"),
    },
    "BatchWriteItem": {"RequestItems"},
    "PutItem": {*_WRITTEN, "Item"},
    "DeleteItem": {*_WRITTEN, "Key"},
    "ConditionCheckItem": {*_WRITTEN, "Key"},
    "UpdateItem": {
        *_WRITTEN,
        "Key",
        "UpdateExpression",
        "ReturnValues",
        "ReturnValuesOnConditionCheckFailure",
    },
    "TransactWriteItems": {"TransactItems", "ClientRequestToken"},
}


class UnknownRequestError(Exception):
    """A request that these tables do not understand."""


def check_parameters(operation: str, request: dict[str, Any]) -> None:
    if unknown := request.keys() - _PARAMETERS.get(operation, set()):
        raise UnknownRequestError(f"{operation}: {', '.join(sorted(unknown))}")


def projected(text: str, request: Mapping[str, Any]) -> str:
    if "ProjectionExpression" not in request:
        return text
    names = [_name(name.strip(), request) for name in request["ProjectionExpression"].split(",")]
    item = json.loads(text)
    return json.dumps({name: item[name] for name in names if name in item})


def _name(written: str, request: Mapping[str, Any]) -> str:
    return request["ExpressionAttributeNames"][written] if written.startswith("#") else written


def key_range(request: dict[str, Any]) -> tuple[str, str, str]:
    """Return the partition of a query, and the lowest and the highest sort key."""
    condition, values = request["KeyConditionExpression"], request["ExpressionAttributeValues"]
    found = _RANGE.fullmatch(condition)
    if found is None:
        raise UnknownRequestError(condition)
    pk, prefix, low, high = (values[name]["S"] if name else "" for name in found.groups())
    return (pk, low, high) if high else (pk, prefix, prefix + LAST)


def holds(term: str, item: Item, request: dict[str, Any]) -> bool:
    if found := _SIZE.fullmatch(term):
        have = len(item.get(found[1], {"BS": ()})["BS"])
        return have < int(request["ExpressionAttributeValues"][found[2]]["N"])
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


def update_item(item: Item, request: dict[str, Any]) -> Item:
    """Change the item; returns the attributes as they are now, or were before where the request asks for that."""
    expression, updated, before = request["UpdateExpression"], {}, dict(item)
    clauses = list(_CLAUSE.finditer(expression))
    if "".join(clause[0] for clause in clauses) != expression:
        raise UnknownRequestError(expression)
    for verb, parts in (clause.groups() for clause in clauses):
        for part in re.split(r", (?![^(]*\))", parts):
            written, *rest = part.split(" ")
            name = _name(written, request)
            match verb, rest:
                case "SET", ["=", kept, value] if kept == f"if_not_exists({written},":
                    added = request["ExpressionAttributeValues"][value.removesuffix(")")]
                    item[name] = updated[name] = item.get(name, added)
                case "SET", ["=", value]:
                    item[name] = updated[name] = request["ExpressionAttributeValues"][value]
                case "ADD", [value] if "BS" in request["ExpressionAttributeValues"][value]:
                    added = request["ExpressionAttributeValues"][value]["BS"]
                    both = dict.fromkeys([*item.get(name, {"BS": ()})["BS"], *added])
                    item[name] = updated[name] = {"BS": list(both)}
                case "ADD", [value]:
                    number = int(request["ExpressionAttributeValues"][value]["N"])
                    item[name] = updated[name] = {"N": str(int(item.get(name, {"N": 0})["N"]) + number)}
                case "REMOVE", []:
                    item.pop(name, None)
                case _:
                    raise UnknownRequestError(expression)
    if request.get("ReturnValues") == "UPDATED_OLD":
        return {name: before[name] for name in updated if name in before}
    return updated
