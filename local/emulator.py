"""Runs the AWS emulator (MiniStack) as a process on loopback; its state survives a clean stop."""

import json
import os
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local import processes
from local.errors import LocalError, failed
from local.paths import tool

HOST = "127.0.0.1"
REGION = "us-east-1"
START_SECONDS = 60
# -P: the folder of the program, with modules of the project, is none that the emulator imports from.
PROGRAM = Path(__file__).with_name("batching_window.py")
STOP_SECONDS = 60  # on SIGTERM the emulator writes its state
# Variables that programs need; AWS settings and credentials of the user stay out.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT")


@dataclass(frozen=True, slots=True)
class Emulator:
    """An emulator with state, log and record in `folder`; `environment` is added to its functions' own."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """Return the file with its output."""
        return self.folder / "emulator.log"

    @property
    def record(self) -> Path:
        """Return the file that records its process."""
        return self.folder / "emulator.json"

    def running(self) -> processes.Running | None:
        """Return its process where it runs."""
        return processes.find(self.record)

    def start(self, port: int) -> processes.Running:
        """Start it and wait until it responds. Raises LocalError where the port is taken or it ends."""
        if running := self.running():
            return running
        require_free(port, program="the AWS emulator")
        temporary = self.folder / "tmp"  # functions are unpacked here; the next run does not need them
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        settings = {
            "BIND_HOST": HOST,  # the default is every address
            "MINISTACK_HOST": HOST,
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": REGION,
            "LAMBDA_EXECUTOR": "local",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.folder / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.folder / "s3"),
            "TMPDIR": str(temporary),
        }
        running = processes.start(
            [tool(".venv-emulator", "python"), "-P", PROGRAM],
            environment={**inherited(), **self.environment, **settings},
            log=self.log,
            record=self.record,
            port=port,
        )
        self._wait(running)
        return running

    def stop(self) -> bool:
        """Stop it, with its state written; False where it did not run."""
        return processes.stop(self.record, patience=STOP_SECONDS)

    def _wait(self, running: processes.Running) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not running.is_alive():
                raise failed("the AWS emulator ended while it started", self.log)
            if is_answering(f"{endpoint(running.port)}/_ministack/health"):
                return
            time.sleep(0.1)
        raise failed(f"the AWS emulator does not respond after {START_SECONDS} s", self.log)


def endpoint(port: int) -> str:
    """Return the URL that AWS clients use for the emulator on this port."""
    return f"http://{HOST}:{port}"


def inherited() -> dict[str, str]:
    """Return the variables of this process's environment that a child process gets."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def client_environment(port: int) -> dict[str, str]:
    """Return an environment in which AWS tools use the emulator, without the user's AWS settings."""
    return inherited() | {
        "AWS_ENDPOINT_URL": endpoint(port),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": f"{HOST},localhost",
        "SAM_CLI_TELEMETRY": "0",
    }


def correct_concurrency(functions: Any) -> None:
    """Set each mapping's MaximumConcurrency as a number: the emulator fails on a parameter's text."""
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        most = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
        if most is not None:
            functions.update_event_source_mapping(
                UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": int(most)}
            )


def require_free(port: int, *, program: str) -> None:
    """Raise LocalError where the port that `program` needs is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise LocalError(
                f"{program} cannot use port {port}: {error.strerror}. Another program may listen there "
                f"(`lsof -i :{port}` names it); `make run PORT={port + 10}` uses another port"
            ) from None


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_answering(url: str) -> bool:
    """Tell whether a GET of a loopback URL returns JSON."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=5) as response:
            json.load(response)
    except (OSError, ValueError, urllib.error.URLError):
        return False
    return True
