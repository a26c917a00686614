"""The memory of the dispatcher's process while it waits for 500 endpoints at once, each over TLS of its own.

A fresh process for each sample composes the function, sends a batch of ten, and then as many deliveries of
2 KB as are named, to an endpoint that responds after two seconds: all are in flight when memory is read. A
batch has 100 deliveries at most, so 500 at once are five times those of an invocation. Memory per delivery
is the growth of the process's own memory (USS) by the number in flight; the peak is all resident memory.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from benchmarks import event_path
from benchmarks.figure import Goal, Measured, Reading
from benchmarks.null_receiver import HOST, null_receiver
from benchmarks.receiver_process import AFTER
from local.paths import ROOT
from local.progress import Progress
from tests.aws_stub.responses import canned, stub_aws
from webhooks.adapters.http.client import CurlHttpClient
from webhooks.bootstrap.dispatcher import compose
from webhooks.bootstrap.guard import egress_guard
from webhooks.domain.lane import Lane
from webhooks.entrypoints.sqs import delivery_messages
from webhooks.ports import Conversation, HttpClient
from webhooks.settings import DispatcherSettings

TITLE = "Memory per delivery in flight, and its peak"
AGAINST = "nothing: these are amounts"
BOUND = """\
libcurl keeps of each request in flight a copy of 16 KB, TLS a buffer of 16 KB for what was written, and both
have no smaller size; OpenSSL's context and state, which libcurl makes for each connection and no option of it
shares, are some 55 KB. Returning free memory to the system changes nothing: all of it is in use. TLS 1.2
alone would take 13 KB less, without the post-quantum key share. An invocation has 100 deliveries at most, and
the peak is far below the function's 512 MB."""
SAMPLES = 5
SECONDS = 2  # until an endpoint answers
LOOK_SECONDS = 0.05
KILOBYTE, MEGABYTE = 1024, 1024 * 1024


def measure(progress: Progress) -> Measured:
    readings = []
    with null_receiver() as running:
        response = f"{AFTER}{SECONDS * 1000}"
        secure, plain = f"https://{HOST}:{running.https}{response}", f"http://{HOST}:{running.http}{response}"
        for count, url, name, goal in (
            (100, secure, "a delivery, 100 in flight", Goal(64)),
            (500, secure, "a delivery, 500 in flight", Goal(64)),
            (500, plain, "a delivery, 500 in flight, without TLS", None),
        ):
            with progress.step(name):
                samples = [_in_flight(count, url, running.authority) for _ in range(SAMPLES)]
            each = [(sample["own"] - sample["before"]) / count / KILOBYTE for sample in samples]
            readings.append(Reading(name, each, "KB", goal))
            if (count, url) == (500, secure):
                peaks = [sample["resident"] / MEGABYTE for sample in samples]
                readings.append(Reading("peak, 500 in flight", peaks, "MB", Goal(160)))
    return Measured(readings)


def _in_flight(count: int, url: str, authority: Path) -> dict[str, int]:
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.figures.memory", str(count), url],
        cwd=ROOT,
        env={**os.environ, "SSL_CERT_FILE": str(authority)},
        capture_output=True,
        check=True,
        text=True,
    )
    found: dict[str, int] = json.loads(process.stdout)
    return found


@dataclass
class Watched:
    """An HTTP client whose batches are watched: this process's memory in bytes, before and at its most."""

    http: HttpClient
    before: int = 0
    own: int = 0
    resident: int = 0

    def send_all[R](self, conversations: Sequence[Conversation[R]], *, pause: float) -> Iterator[Sequence[R]]:
        self.before, _ = memory()
        self.own, self.resident, done = self.before, 0, Event()

        def watch() -> None:
            while not done.wait(LOOK_SECONDS):
                own, resident = memory()
                self.own, self.resident = max(self.own, own), max(self.resident, resident)

        watcher = Thread(target=watch)
        watcher.start()
        try:
            yield from self.http.send_all(conversations, pause=pause)
        finally:
            done.set()
            watcher.join()


def look(count: int, url: str) -> dict[str, int]:
    """Put so many deliveries in flight; return this process's memory in bytes, before and at its most."""
    event_path.set_environment(FAST_LANE_SECONDS="10")  # no endpoint counts as slow here
    settings = DispatcherSettings.load()
    watched = Watched(CurlHttpClient(egress_guard(settings)))
    app = compose(settings, http=watched)
    event_path.discard_log()
    webhooks = [event_path.webhook(number, url) for number in range(1, count + 1)]
    responses = event_path.responses(webhooks)
    del responses["SendMessageBatch"]  # a delivery that is sent again fails the benchmark
    stub_aws(app.aws, canned(responses))
    batch = event_path.deliveries_batch(
        [(each, range(number, number + 1)) for number, each in enumerate(webhooks)]
    )
    messages = delivery_messages(batch)
    app.dispatcher.dispatch(messages[:10], Lane.FAST)
    if failed := app.dispatcher.dispatch(messages, Lane.FAST):
        raise AssertionError(f"{len(failed)} of {count} come again")
    return {"before": watched.before, "own": watched.own, "resident": watched.resident}


def memory() -> tuple[int, int]:
    """Return the bytes of this process alone (USS), and those that are resident."""
    lines = Path("/proc/self/smaps_rollup").read_text("utf-8").splitlines()[1:]
    kilobytes = {name: int(value.split()[0]) for name, value in (line.split(":") for line in lines)}
    own = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
    return own * KILOBYTE, kilobytes["Rss"] * KILOBYTE


if __name__ == "__main__":
    sys.stdout.write(json.dumps(look(int(sys.argv[1]), sys.argv[2])))
