"""The command's view of its machine: all that a test may want to choose."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO


@dataclass(frozen=True, slots=True, kw_only=True)
class CliContext:
    """Streams, environment and folders; `clock` gives epoch seconds, `random_bytes` so many random bytes.

    `sleep` waits so many seconds.
    """

    stdin: BinaryIO
    stdout: TextIO
    stderr: TextIO
    environment: Mapping[str, str]
    folder: Path
    home: Path
    clock: Callable[[], float]
    random_bytes: Callable[[int], bytes]
    sleep: Callable[[float], None] = time.sleep


def process_context() -> CliContext:
    return CliContext(
        stdin=sys.stdin.buffer,
        stdout=sys.stdout,
        stderr=sys.stderr,
        environment=os.environ,
        folder=Path.cwd(),
        home=Path.home(),
        clock=time.time,
        random_bytes=os.urandom,
    )
