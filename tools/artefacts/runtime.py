"""Starts a built function with Lambda's own runtime, under aws-sam-cli's Runtime Interface Emulator (RIE)."""

import http.client
import importlib.util
import os
import platform
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from local import emulator
from local.errors import LocalError
from local.paths import ROOT, tool
from tools.artefacts.build import Build, own_architecture

ENVIRONMENT = ".venv-gates"  # has Lambda's runtime
# Lambda's runtime with its dependencies, and nothing else of its environment.
RUNTIME = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")
UNCHECKED = (1).to_bytes(4, "little")  # a .pyc that holds without a look at its source (PEP 552)
START_SECONDS, LIFE_SECONDS, STOP_SECONDS = 10, 60, 10
PAUSE = 0.01  # seconds between two tries to connect
PATH = "/2015-03-31/functions/function/invocations"
# Lambda adds these.
LAMBDA = {
    "AWS_LAMBDA_LOG_FORMAT": "JSON",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "PATH": os.defpath,
}


@dataclass(frozen=True, slots=True)
class Paths:
    """All of a function's imports: `layers` as Lambda unpacks them into /opt, and Lambda's `runtime`."""

    layers: Path
    runtime: Path


def lay_out(build: Build, folder: Path) -> Paths:
    """Put the layers of a build into one folder, and the runtime into another. Raises LocalError."""
    paths = Paths(folder / "opt" / "python", folder / "runtime")
    for layer in build.layers().values():
        shutil.copytree(layer / "python", paths.layers, copy_function=os.link, dirs_exist_ok=True)
    paths.runtime.mkdir(parents=True, exist_ok=True)
    for path in _runtime():
        copy = shutil.copytree if path.is_dir() else shutil.copy
        copy(path, paths.runtime / path.name)
    compile_unchecked(paths.runtime)
    return paths


def compile_unchecked(folder: Path) -> None:
    """Give a folder bytecode of the kind that functions and layers are built with."""
    compiling = (
        tool(ENVIRONMENT, "python"),
        "-m",
        "compileall",
        "-q",
        "-f",
    )  # bytecode of use is of another kind
    subprocess.run([*compiling, "--invalidation-mode", "unchecked-hash", folder], check=True)


def require_bytecode(folder: Path) -> None:
    """Raise LocalError unless all sources have bytecode that this Python takes without a look at them.

    Python loads that bytecode then, and writes none.
    """
    for source in folder.rglob("*.py"):
        compiled = Path(importlib.util.cache_from_source(str(source)))
        start = compiled.read_bytes()[:8] if compiled.is_file() else b""
        if start != importlib.util.MAGIC_NUMBER + UNCHECKED:
            raise LocalError(f"{source} was built without bytecode for this Python")


@contextmanager
def started(
    function: Path, paths: Paths, environment: Mapping[str, str], output: IO[str] | int
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start RIE with a function; yields its process and port. The project's own packages are out of reach."""
    port = emulator.free_port()
    process = subprocess.Popen(
        [
            *(_emulator(), "--runtime-interface-emulator-address", f"{emulator.HOST}:{port}"),
            *("--runtime-api-address", f"{emulator.HOST}:{emulator.free_port()}"),
            # No site-packages: they are the environment's own. -m puts the working directory first.
            *(tool(ENVIRONMENT, "python"), "-S", "-m", "awslambdaric", "app.lambda_handler"),
        ],
        cwd=function,
        env={
            **LAMBDA,
            **environment,
            "LAMBDA_TASK_ROOT": str(function),
            "PYTHONPATH": os.pathsep.join(map(str, (paths.layers, paths.runtime))),
        },
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watch = threading.Timer(LIFE_SECONDS, process.kill)
    watch.start()
    try:
        yield process, port
    finally:
        watch.cancel()
        process.terminate()  # it ends the runtime, too
        try:
            process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def call(port: int, event: bytes) -> http.client.HTTPConnection:
    """Ask for a call: RIE initialises nothing before. The connection has the response. Raises LocalError."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        connection = http.client.HTTPConnection(emulator.HOST, port, timeout=LIFE_SECONDS)
        try:
            connection.request("POST", PATH, event)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise LocalError("RIE does not listen") from None
            time.sleep(PAUSE)
        else:
            return connection


def _runtime() -> list[Path]:
    found = [
        path
        for name in RUNTIME
        for path in (ROOT / ENVIRONMENT).glob(f"lib/python3*/site-packages/{name}*")
        if path.suffix != ".dist-info"
    ]
    if not found:
        raise LocalError("Lambda's runtime is not installed: `make gates` installs it")
    return found


def _emulator() -> Path:
    """Return RIE, which aws-sam-cli brings along. Raises LocalError."""
    packages = (ROOT / ".venv-sam").glob("lib/python3*/site-packages")
    found = [path for each in packages for path in each.glob(f"samcli/local/rapid/*-{own_architecture()}")]
    if platform.system() != "Linux" or not found:
        raise LocalError("Lambda's Runtime Interface Emulator needs Linux, and `make setup`")
    return found[0]
