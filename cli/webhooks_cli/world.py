"""What the command sees of the machine it runs on: everything that a test may want to choose."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Streams, environment, folders, clock (epoch seconds) and chance (that many random bytes)."""

    stdin: BinaryIO
    stdout: TextIO
    stderr: TextIO
    environment: Mapping[str, str]
    folder: Path
    home: Path
    clock: Callable[[], float]
    entropy: Callable[[int], bytes]


def real_world() -> World:
    """Return the world of this process."""
    return World(
        stdin=sys.stdin.buffer,
        stdout=sys.stdout,
        stderr=sys.stderr,
        environment=os.environ,
        folder=Path.cwd(),
        home=Path.home(),
        clock=time.time,
        entropy=os.urandom,
    )
