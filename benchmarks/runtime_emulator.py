"""The init of functions as `sam build` leaves them, under Lambda's Runtime Interface Emulator (RIE)."""

import re
import shutil
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.event_path import ENVIRONMENT
from local import sources
from local.errors import LocalError, failed
from local.paths import LOCAL
from tools.artefacts import build, runtime

FOLDER = LOCAL / "bench" / "runtime_emulator"
INITIALISED = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")
DONE = re.compile(r"INIT RTDONE\(status: (\w+)\)")

compile_unchecked = runtime.compile_unchecked


@dataclass(frozen=True, slots=True)
class Built:
    """A build. `layers`: all of them in one folder, as Lambda unpacks them into /opt."""

    functions: Path
    layers: Path
    runtime: Path

    def function(self, name: str) -> Path:
        return self.functions / name


@dataclass(frozen=True, slots=True)
class Init:
    """The milliseconds of an init: on the clock, as RIE reports them, and of CPU."""

    wall_ms: float
    cpu_ms: float


def built() -> Built:
    """Build the functions of this tree, unless the last build was of the same sources. Raises LocalError."""
    architecture = build.own_architecture()
    wanted, mark = sources.digest([f"Architecture={architecture}"]), FOLDER / "built"
    result = Built(FOLDER / "build", FOLDER / "opt" / "python", FOLDER / "runtime")
    if not (mark.is_file() and mark.read_text("utf-8") == wanted):
        shutil.rmtree(FOLDER, ignore_errors=True)
        runtime.lay_out(build.build(FOLDER, architecture), FOLDER)
        mark.write_text(wanted, "utf-8")
    for folder in (result.functions, result.layers, result.runtime):
        runtime.require_bytecode(folder)
    return result


def init(built: Built, function: Path) -> Init:
    """Start a function's process and measure its init: from the start of Python to the runtime's request for
    the first call. Raises LocalError.
    """
    log = FOLDER / "rie.log"
    log.write_text("", "utf-8")
    paths = runtime.Paths(built.layers, built.runtime)
    with runtime.started(function, paths, ENVIRONMENT, subprocess.PIPE) as (process, port):
        # No JSON: the runtime calls no handler then, whose CPU would count and whose calls would leave.
        status, said = "", log.open("a", encoding="utf-8")
        with closing(runtime.call(port, b"no JSON")), said:
            for line in process.stdout or ():
                said.write(line)
                if done := DONE.search(line):
                    status = done[1]
                if reported := INITIALISED.search(line):
                    if status != "success":
                        break
                    return Init(wall_ms=float(reported[1]), cpu_ms=_cpu_seconds(_child(process.pid)) * 1000)
    raise failed(f"{function.name} did not start under RIE", log)


def _child(pid: int) -> int:
    """Return the one process that a process has started. Raises LocalError."""
    started = [
        each for task in Path(f"/proc/{pid}/task").glob("*/children") for each in task.read_text().split()
    ]
    if len(started) != 1:
        raise LocalError("RIE runs no runtime, or this kernel does not list a process's children")
    return int(started[0])


def _cpu_seconds(pid: int) -> float:
    """Read another process's CPU clock, which Linux makes of its id (clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | 2)
