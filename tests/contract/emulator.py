"""An AWS emulator for storage tests: the one that TEST_EMULATOR_ENDPOINT names, or one of their own."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.contract.backends import EMULATOR

COMMAND = Path(__file__).parents[2] / ".venv-emulator" / "bin" / "ministack"
START_SECONDS = 60


@contextmanager
def running_emulator(directory: Path) -> Iterator[str]:
    """Yield the emulator's URL. One that is started here keeps its files in the directory, and ends here."""
    if EMULATOR:
        yield EMULATOR
        return
    assert COMMAND.exists(), (
        f"{COMMAND} is missing: make the emulator's environment, or set TEST_EMULATOR_ENDPOINT"
    )
    port = _free_port()
    environment = os.environ | {
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(directory / "state"),
    }
    with (
        (directory / "emulator.log").open("wb") as log,
        subprocess.Popen([COMMAND], cwd=directory, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process)
            yield url
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + START_SECONDS
    while time.monotonic() < ends_at:
        assert process.poll() is None, "the emulator ended"
        try:
            with urllib.request.urlopen(f"{url}/_ministack/health", timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the emulator does not answer")
