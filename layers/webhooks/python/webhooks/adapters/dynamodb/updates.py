"""Update requests of one item: the attributes to set, and those to remove."""

import re
from collections.abc import Mapping
from typing import Any

from webhooks.adapters.dynamodb.items import Item

_NAME = re.compile(r"#(\w+)")


def update_request(
    table: str,
    key: Item,
    *,
    attributes: Mapping[str, Item | None],
    condition: str,
    values: Item,
) -> dict[str, Any]:
    """Return the update that writes attributes and removes those that are None.

    The condition names an attribute by `#` and its name, and a value by its key in `values`.
    """
    written = {f":{name}": value for name, value in attributes.items() if value is not None}
    removed = [f"#{name}" for name, value in attributes.items() if value is None]
    update = "SET " + ", ".join(f"#{name[1:]} = {name}" for name in written)
    if removed:
        update += " REMOVE " + ", ".join(removed)
    return {
        "TableName": table,
        "Key": key,
        "UpdateExpression": update,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {f"#{name}": name for name in (*attributes, *_NAME.findall(condition))},
        "ExpressionAttributeValues": values | written,
    }
