"""A local stack to be measured, in a folder of its own, with webhooks of many tenants."""

import fcntl
import shutil
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.recording_receiver import HOOK, RecordingReceiver
from local import command, emulator, stack_file
from local.errors import LocalError
from local.paths import LOCAL
from local.progress import Progress
from local.stack import Stack
from tests.e2e.platform_client import PlatformClient

FOLDER = LOCAL / "bench" / "stack"
REGISTERING = 2  # at once: each starts a process of the API's function


@dataclass(frozen=True, slots=True)
class Listener:
    """A tenant's one webhook, which listens for one event name at a path of the receiver."""

    tenant_id: str
    event_name: str
    path: str


@contextmanager
def deployed(progress: Progress, environment: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Deploy the sources into an emulator without a past, and stop it afterwards. Raises LocalError.

    `environment` is added to the functions' own.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LocalError("another benchmark uses the local stack of the benchmarks") from None
        stack = Stack(FOLDER, port=emulator.free_port(), steps=progress, environment=environment)
        stack.down()  # of a benchmark that was killed
        for name in ("state", "s3"):
            shutil.rmtree(FOLDER / name, ignore_errors=True)
        try:
            stack.up()
            yield stack
        finally:
            stack.down()


@dataclass
class Tenants:
    """Registers webhooks at a receiver, each for a new tenant."""

    stack: Stack
    receiver: RecordingReceiver

    def __post_init__(self) -> None:
        path = FOLDER / ".local" / "stack.json"  # where the operator's command looks, in FOLDER
        path.parent.mkdir(exist_ok=True)
        stack_file.write(path, stack_file.describe(self.stack, {}))
        arguments = ("license", "issue", "--level", "system", "--label", "benchmark")
        self._license = command.webhooks(*arguments, folder=FOLDER)["license"]

    def listeners(
        self, count: int, *, path: str = HOOK, host: str = emulator.HOST, **changes: Any
    ) -> list[Listener]:
        """Register so many webhooks; each has its number in place of a {} in the host. Raises LocalError."""
        run = uuid.uuid4().hex[:8]
        more = changes.pop("api", {})
        made = [Listener(f"{run}-{number}", f"bench.{run}.{number}", path) for number in range(count)]

        def register(each: Listener) -> None:
            number = each.tenant_id.rpartition("-")[2]
            api = {"url": f"http://{host.format(number)}:{self.receiver.port}{path}", **more}
            body = {"eventNames": [each.event_name], "name": each.event_name, "api": api, **changes}
            client = PlatformClient(self.stack.api_url, self._license, tenant=each.tenant_id)
            response = client.call("PUT", "webhook", {"successCodes": [200], **body})
            if response.status != 200:
                raise LocalError(f"registering a webhook was answered {response.status}: {response.body!r}")

        with ThreadPoolExecutor(REGISTERING) as threads:
            list(threads.map(register, made))
        return made
