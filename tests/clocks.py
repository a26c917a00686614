"""A clock for tests."""

from dataclasses import dataclass

NOW = 1_790_000_000.0


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now
