"""The size of a DynamoDB item, and the units that it is billed as.

Source: "DynamoDB item sizes and formats" in the DynamoDB developer guide.
"""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

READ_UNIT, WRITE_UNIT = 4096, 1024  # bytes


def item_bytes(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Return an item's bytes. Raises ValueError for types that the service does not store."""
    return sum(len(name) + _value_bytes(*pair) for name, value in item.items() for pair in value.items())


def units(size: int, unit: int) -> int:
    """Return the units of a read or a write: an absent item is billed as one, too."""
    return max(1, -(-size // unit))


def _value_bytes(kind: str, value: Any) -> int:
    match kind:
        case "S":
            return len(value.encode())
        case "N":  # a byte for two digits, and one
            return (len(value) + 1) // 2 + 1
        case "B":
            return len(value if isinstance(value, bytes) else b64decode(value))
        case "BS":
            return sum(_value_bytes("B", each) for each in value)
        case "BOOL":
            return 1
    raise ValueError(f"a value of type {kind}")
