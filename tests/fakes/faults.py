"""Where a test can make a fake fail: before an effect takes place, or after it did."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Called with "before <effect>" and "after <effect>", e.g. "before subscriptions.add"; it may raise.
type Fault = Callable[[str], None]


def no_fault(_point: str) -> None:
    """Let everything work."""


@contextmanager
def effect(fault: Fault, name: str) -> Iterator[None]:
    """Surround an effect with the calls at which it can fail."""
    fault(f"before {name}")
    yield
    fault(f"after {name}")
