"""A receiver in a process of its own that records when each event's callback arrived."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.receiver_process import listening
from local.emulator import HOST

HOOK = "/hook"


@dataclass
class RecordingReceiver:
    """The running receiver. `arrivals`: each event's first one at /hook, in epoch seconds by its id."""

    port: int
    arrivals: dict[str, float] = field(default_factory=dict)
    repeated: int = 0

    @property
    def url(self) -> str:
        """Return its address; append a path."""
        return f"http://{HOST}:{self.port}"

    def look(self) -> dict[str, float]:
        """Take the arrivals since the last look, and return all."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=10)
        connection.request("GET", "/arrivals")
        for path, event_id, at in json.loads(connection.getresponse().read()):
            if path == HOOK:
                self.repeated += event_id in self.arrivals
                self.arrivals.setdefault(event_id, at)
        connection.close()
        return self.arrivals

    def forget(self) -> None:
        """Forget all arrivals so far."""
        self.look()
        self.arrivals.clear()
        self.repeated = 0


@contextmanager
def recording_receiver() -> Iterator[RecordingReceiver]:
    """Run one while the context lasts. Raises LocalError."""
    with listening() as (port, _):
        yield RecordingReceiver(port)
