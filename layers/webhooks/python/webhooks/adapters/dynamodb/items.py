"""The low-level form of DynamoDB items: every value is under its type's letter, e.g. {"S": "text"}.

The client sends and returns this form; boto3's own conversion would turn every number into a Decimal.
"""

from collections.abc import Mapping
from typing import Any

from webhooks.domain.forms import VERSION, Form

type Item = dict[str, Any]
type ItemKey = Mapping[str, Any]


def key(pk: str, sk: str | None = None) -> Item:
    """Return the key of an item; with a sort key where the table has one."""
    return {"pk": {"S": pk}} if sk is None else {"pk": {"S": pk}, "sk": {"S": sk}}


def require_form(item: Item, form: Form) -> None:
    """Check that this release reads an item's version. Raises NewerFormError, KeyError, ValueError."""
    if VERSION in item:
        form.require_known(int(item[VERSION]["N"]))


def item_size(item: Item) -> int:
    """Return an item's bytes as DynamoDB counts them; for attributes of texts, numbers and bytes."""
    size = 0
    for name, value in item.items():
        if "S" in value:
            text = value["S"]
            size += len(name) + (len(text) if text.isascii() else len(text.encode()))
        elif "B" in value:
            size += len(name) + len(value["B"])
        else:
            size += len(name) + (len(value["N"]) + 1) // 2 + 1
    return size
