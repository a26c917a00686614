"""Random bytes that a test knows."""

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256


@dataclass
class DistinctBytes:
    """Bytes that are never twice the same, and for a salt the same in each run."""

    salt: str = "random_bytes"
    counter: Iterator[int] = field(default_factory=itertools.count)

    def __call__(self, size: int) -> bytes:
        seed = f"{self.salt} {next(self.counter)}".encode()
        return b"".join(sha256(seed + bytes([block])).digest() for block in range(size // 32 + 1))[:size]


def salted_bytes() -> DistinctBytes:
    """Return other bytes in each run: an emulator outlives a test run and remembers tokens."""
    return DistinctBytes(uuid.uuid4().hex)
