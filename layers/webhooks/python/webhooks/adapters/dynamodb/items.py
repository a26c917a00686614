"""The low-level form of DynamoDB items: every value is under its type's letter, e.g. {"S": "text"}.

The client sends and returns this form; boto3's own conversion would turn every number into a Decimal.
"""

from collections.abc import Mapping
from typing import Any

type Item = dict[str, Any]
type ItemKey = Mapping[str, Any]


def key(pk: str, sk: str | None = None) -> Item:
    """Return the key of an item; with a sort key where the table has one."""
    return {"pk": {"S": pk}} if sk is None else {"pk": {"S": pk}, "sk": {"S": sk}}
