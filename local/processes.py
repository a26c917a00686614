"""Starts a background process and stops exactly that process, also from a later run.

A file records the process by its id and start time. The system reuses ids; the start time tells a later
process with the same id apart.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

PAUSE = 0.05  # seconds between two checks of a process


@dataclass(frozen=True, slots=True)
class Running:
    """A started process: `born` tells it from a later one with the same id."""

    pid: int
    born: str
    port: int

    def is_alive(self) -> bool:
        """Tell whether the recorded process still runs."""
        with suppress(ChildProcessError):  # another run started it, so it is not a child of this process
            os.waitpid(self.pid, os.WNOHANG)
        return birth(self.pid) == self.born


def birth(pid: int) -> str | None:
    """Return the start time of the process with this id, as text; None where it has ended or never was."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text("utf-8").rpartition(")")[2].split()
        except OSError:
            return None
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()
        return None if fields[0] in "ZX" else f"{boot}/{fields[19]}"
    listed = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return None if not listed or listed.startswith("Z") else listed.partition(" ")[2].strip()


def start(
    command: Sequence[str | Path], *, environment: Mapping[str, str], log: Path, record: Path, port: int
) -> Running:
    """Start a process that outlives this one, with its output in `log`, and record it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    record.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    running = Running(process.pid, birth(process.pid) or "", port)
    process.returncode = 0  # the record watches the process from here on, not this object
    record.write_text(json.dumps(asdict(running)), "utf-8")
    return running


def find(record: Path) -> Running | None:
    """Return the recorded process where it still runs; otherwise remove the record and return None."""
    try:
        running = Running(**json.loads(record.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    if running.is_alive():
        return running
    record.unlink(missing_ok=True)
    return None


def stop(record: Path, *, patience: float) -> bool:
    """End the recorded process and its children; kill them after `patience` seconds.

    False where the process did not run.
    """
    running = find(record)
    if running is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while running.is_alive() and time.monotonic() < deadline:
        time.sleep(PAUSE)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(
            running.pid, signal.SIGKILL
        )  # its whole session: children that are left, or the process itself
    while running.is_alive():
        time.sleep(PAUSE)
    record.unlink(missing_ok=True)
    return True
