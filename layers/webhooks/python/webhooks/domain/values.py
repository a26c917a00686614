"""Values: dataclasses with slots that are compared by their fields, and never change.

The type checker alone refuses a change. `frozen=True` at runtime would do it a second time, for two fifths of
the time in which such a class is made, and a function makes a hundred of them before its first call.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as value_type
else:
    from dataclasses import dataclass

    def value_type(*, frozen: bool, slots: bool) -> object:
        """Make a class a dataclass; the type checker alone reads `frozen`."""
        return dataclass(slots=slots, unsafe_hash=frozen)


__all__ = ["value_type"]
