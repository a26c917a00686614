"""The arrivals of callbacks, noted by a receiver in a process of its own."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.receiver_process import AFTER, DEAD, DOWN, TOKEN, listening
from local.emulator import HOST

__all__ = ["AFTER", "DEAD", "DOWN", "HOOK", "TOKEN", "Receiver", "receiver"]

HOOK = "/hook"


@dataclass
class Receiver:
    """The running receiver. `came`: each event's first arrival at /hook, by its id."""

    port: int
    came: dict[str, float] = field(default_factory=dict)
    repeated: int = 0

    @property
    def url(self) -> str:
        """Return its address; append a path."""
        return f"http://{HOST}:{self.port}"

    def look(self) -> dict[str, float]:
        """Take the arrivals since the last look, and return all of `came`."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=10)
        connection.request("GET", "/arrivals")
        for path, event_id, at in json.loads(connection.getresponse().read()):
            if path == HOOK:
                self.repeated += event_id in self.came
                self.came.setdefault(event_id, at)
        connection.close()
        return self.came

    def forget(self) -> None:
        """Forget all arrivals so far."""
        self.look()
        self.came.clear()
        self.repeated = 0


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Run one while the context lasts. Raises LocalError."""
    with listening() as (port, _):
        yield Receiver(port)
