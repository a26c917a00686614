"""The functions as `sam build` leaves them, started by Lambda's own runtime under its emulator (RIE)."""

import http.client
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.event_path import ENVIRONMENT
from local import emulator, sources
from local.errors import LocalError, failed
from local.paths import LOCAL, ROOT, tool

FOLDER = LOCAL / "bench" / "runtime_emulator"
LAYERS = ("DependenciesLayer", "SigningLayer", "WebhooksLayer")
# Lambda's runtime with its dependencies, and nothing else of its environment.
RUNTIME = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")
UNCHECKED = (1).to_bytes(4, "little")  # a .pyc that holds without a look at its source (PEP 552)
START_SECONDS, INIT_SECONDS, STOP_SECONDS = 5, 60, 10
PAUSE = 0.01  # seconds between two tries to connect
INITIALISED = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")
DONE = re.compile(r"INIT RTDONE\(status: (\w+)\)")
SETTINGS = {
    **ENVIRONMENT,
    # Lambda adds these.
    "AWS_LAMBDA_LOG_FORMAT": "JSON",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "PATH": os.defpath,
}


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
    processor = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    setting = f"Architecture={processor}"
    wanted, mark = sources.digest([setting]), FOLDER / "built"
    result = Built(FOLDER / "build", FOLDER / "opt" / "python", FOLDER / "runtime")
    if not (mark.is_file() and mark.read_text("utf-8") == wanted):
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        _build(setting)
        for layer in LAYERS:
            shutil.copytree(
                FOLDER / "build" / layer / "python", result.layers, copy_function=os.link, dirs_exist_ok=True
            )
        for path in _runtime():
            copy = shutil.copytree if path.is_dir() else shutil.copy
            result.runtime.mkdir(exist_ok=True)
            copy(path, result.runtime / path.name)
        compile_unchecked(result.runtime)
        mark.write_text(wanted, "utf-8")
    for folder in (result.functions, result.layers, result.runtime):
        require_bytecode(folder)
    return result


def compile_unchecked(folder: Path) -> None:
    """Give a folder bytecode of the kind that functions and layers are built with."""
    compiling = (tool(".venv-bench", "python"), "-m", "compileall", "-q")
    subprocess.run([*compiling, "--invalidation-mode", "unchecked-hash", folder], check=True)


def require_bytecode(folder: Path) -> None:
    """Raise LocalError unless all sources have bytecode that this Python takes without a look at them.

    Python loads that bytecode then, and writes none.
    """
    for source in folder.rglob("*.py"):
        compiled = Path(importlib.util.cache_from_source(str(source)))
        start = compiled.read_bytes()[:8] if compiled.is_file() else b""
        if start != importlib.util.MAGIC_NUMBER + UNCHECKED:
            raise LocalError(f"{source.relative_to(ROOT)} was built without bytecode for this Python")


def init(built: Built, function: Path) -> Init:
    """Start a function's process and measure its init: from the start of Python to the runtime's request for
    the first call. Raises LocalError.
    """
    with _rie(built, function) as (process, port, log):
        _call(port)
        status, said = "", log.open("a", encoding="utf-8")
        with said:
            for line in process.stdout or ():
                said.write(line)
                if done := DONE.search(line):
                    status = done[1]
                if reported := INITIALISED.search(line):
                    if status != "success":
                        break
                    return Init(wall_ms=float(reported[1]), cpu_ms=_cpu_seconds(_child(process.pid)) * 1000)
    raise failed(f"{function.name} did not start under RIE", log)


@contextmanager
def _rie(built: Built, function: Path) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    port, log = emulator.free_port(), FOLDER / "rie.log"
    log.write_text("", "utf-8")
    process = subprocess.Popen(
        [
            *(_emulator(), "--runtime-interface-emulator-address", f"{emulator.HOST}:{port}"),
            *("--runtime-api-address", f"{emulator.HOST}:{emulator.free_port()}"),
            # No site-packages: they are the benchmarks' own. -m puts the working directory first.
            *(tool(".venv-bench", "python"), "-S", "-m", "awslambdaric", "app.lambda_handler"),
        ],
        cwd=function,
        env={
            **SETTINGS,
            "LAMBDA_TASK_ROOT": str(function),
            "PYTHONPATH": os.pathsep.join(map(str, (built.layers, built.runtime))),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watch = threading.Timer(INIT_SECONDS, process.kill)
    watch.start()
    try:
        yield process, port, log
    finally:
        watch.cancel()
        process.terminate()  # it ends the runtime, too
        try:
            process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _call(port: int) -> None:
    """Ask for a call, as RIE initialises nothing before.

    With no JSON: the runtime says so and calls no handler, whose CPU would count and whose calls would leave.
    """
    deadline = time.monotonic() + START_SECONDS
    while True:
        connection = http.client.HTTPConnection(emulator.HOST, port)
        try:
            connection.request("POST", "/2015-03-31/functions/function/invocations", b"no JSON")
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise LocalError("RIE does not listen") from None
            time.sleep(PAUSE)
        else:
            return


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


def _build(setting: str) -> None:
    others = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))}
    log = FOLDER / "sam-build.log"
    with log.open("wb") as output:
        ended = subprocess.run(
            [
                *(tool(".venv-sam", "sam"), "build", "--build-dir", FOLDER / "build"),
                *("--config-file", ROOT / "samconfig.toml", "--config-env", "local"),
                *("--template-file", ROOT / "template.yaml", "--parameter-overrides", setting),
            ],
            cwd=FOLDER,
            env=others | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": emulator.REGION},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if ended.returncode:
        raise failed("sam build failed", log)


def _runtime() -> list[Path]:
    found = [
        path
        for name in RUNTIME
        for path in (ROOT / ".venv-bench").glob(f"lib/python3*/site-packages/{name}*")
        if path.suffix != ".dist-info"
    ]
    if not found:
        raise LocalError("Lambda's runtime is not installed: `make .venv-bench/.installed`")
    return found


def _emulator() -> Path:
    """Return RIE, which aws-sam-cli brings along. Raises LocalError."""
    processor = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    found = list((ROOT / ".venv-sam").glob(f"lib/python3*/site-packages/samcli/local/rapid/*-{processor}"))
    if platform.system() != "Linux" or not found:
        raise LocalError("Lambda's Runtime Interface Emulator needs Linux, and `make setup`")
    return found[0]
