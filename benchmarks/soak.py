"""`make soak MINUTES=30`: the memory, threads and open files of the functions' processes at a steady load.

20 tenants with 10 events a second; one's endpoint never answers, one's answers 500. Every 5 s, of each
function's processes the one with the most memory, threads or open files (sockets among them) counts; latency
by the minute. Flat: the last third's median is at most 1.1 times the second third's, with some slack for
noise (2 MiB, 2 threads, 2 files, 5 ms of p50, 20 ms of p99); the first third is warm-up. The emulator's own
tables and logs grow meanwhile: a baseline, functions that do nothing behind the same queues, shows how
much of a latency's growth is the emulator's.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from rich.markup import escape

from benchmarks import baseline_stack, load, report, run, traffic
from benchmarks.figure import Chart, Goal, Measured, Reading
from benchmarks.function_processes import FUNCTIONS, Watch
from benchmarks.growth import STEADY, growth
from benchmarks.receiver_process import DEAD, DOWN
from benchmarks.recording_receiver import RecordingReceiver, recording_receiver
from benchmarks.traffic import Event, percentile
from local.errors import LocalError
from local.paths import ROOT
from local.progress import Progress
from local.stack import Stack

TITLE = "Memory, threads, files and latency under a steady load"
AGAINST = "the second third of the same run"
FILE = ROOT / "docs" / "benchmarks" / report.SOAK
MINUTES = 30
RATE, BASELINE_RATE = 10, 1  # events a second
HEALTHY = 18  # tenants, and one with a dead endpoint, one with a failing one
RETRIES = 1
LOOK_SECONDS, MINUTE = 5, 60
UNITS = {"memory": "MiB", "threads": "", "files": ""}
LABELS = {"memory": "memory (MiB)", "threads": "threads", "files": "open files"}  # of axes
SLACK = {"memory": 2, "threads": 2, "files": 2, "p50": 5, "p99": 20}
SERVICE, BASELINE = "service", "baseline"
NONE = Goal(0)


@dataclass
class Callbacks:
    """Latencies in ms by side and minute; events without a callback, and with two."""

    delays: dict[str, list[list[float]]] = field(default_factory=lambda: defaultdict(list))
    lost: int = 0
    repeated: int = 0

    def take(self, endpoint: RecordingReceiver, side: str, sent: dict[str, float]) -> None:
        came = traffic.answered(endpoint, sent)
        self.delays[side].append([(at - sent[event_id]) * 1000 for event_id, at in came.items()])
        self.lost += len(sent) - len(came)

    def over_time(self, side: str, percent: int) -> list[float]:
        """Return a percentile for each minute that has one."""
        return [round(percentile(each, percent), 1) for each in self.delays[side] if len(each) > 1]


@dataclass(frozen=True, slots=True)
class Load:
    """A stack with its webhooks; by side (service, baseline): its queue, events and rate."""

    stack: Stack
    endpoint: RecordingReceiver
    sources: dict[str, tuple[str, Iterator[Event], float]]

    def minute(self, watch: Watch, seen: Callbacks, started: float) -> None:
        with ThreadPoolExecutor(len(self.sources)) as threads:
            publishing = {
                side: threads.submit(traffic.publish, self.stack, url, events, rate=rate, seconds=MINUTE)
                for side, (url, events, rate) in self.sources.items()
            }
            for _ in range(MINUTE // LOOK_SECONDS):
                time.sleep(LOOK_SECONDS)
                watch.look((time.monotonic() - started) / MINUTE)
        for side, sent in publishing.items():
            seen.take(self.endpoint, side, sent.result())
        seen.repeated += self.endpoint.repeated
        self.endpoint.forget()


@contextmanager
def loaded(progress: Progress) -> Iterator[Load]:
    """Deploy a stack, register the webhooks, start all functions. Raises LocalError."""
    with load.deployed(progress) as stack, recording_receiver() as endpoint:
        with progress.step("register webhooks, start the functions"):
            tenants = load.Tenants(stack, endpoint)
            healthy = tenants.listeners(HEALTHY)
            others = [
                each for path in (DEAD, DOWN) for each in tenants.listeners(1, path=path, retryCount=RETRIES)
            ]
            sources: dict[str, tuple[str, Iterator[Event], float]] = {
                SERVICE: (stack.outputs["EventsQueueUrl"], traffic.events([*healthy, *others]), RATE),
                BASELINE: (baseline_stack.deploy(stack, endpoint), traffic.events(healthy), BASELINE_RATE),
            }
            for url, _, _ in sources.values():
                traffic.keep_ahead(stack, url, traffic.events(healthy), endpoint, by=50, seconds=5)
            endpoint.forget()
        yield Load(stack, endpoint, sources)


def soak(minutes: int, progress: Progress) -> Measured:
    """Run for so many minutes, with a line for each."""
    seen = Callbacks()
    with loaded(progress) as under:
        running = under.stack.emulator.running()
        if running is None:
            raise LocalError("the emulator ended")
        watch, started = Watch(running.pid), time.monotonic()
        for minute in range(1, minutes + 1):
            under.minute(watch, seen, started)
            progress.say(f"minute {minute} of {minutes}: {_line(watch, seen)}")
    return Measured([*_held(watch), *_callbacks(seen)], _charts(watch, seen))


def _line(watch: Watch, seen: Callbacks) -> str:
    held = [
        f"{name} {watch.most[name, 'memory'][-1]:.0f} MiB, {watch.most[name, 'threads'][-1]:.0f} threads, "
        f"{watch.most[name, 'files'][-1]:.0f} files"
        for name in FUNCTIONS.values()
    ]
    p50, p99 = (seen.over_time(SERVICE, percent)[-1] for percent in (50, 99))
    return "; ".join((*held, f"p50 {p50:.0f} ms, p99 {p99:.0f} ms"))


def _held(watch: Watch) -> Iterator[Reading]:
    for function in FUNCTIONS.values():
        for quantity, unit in UNITS.items():
            yield from _growth(f"{function}, {quantity}", watch.most[function, quantity], unit, quantity)


def _callbacks(seen: Callbacks) -> Iterator[Reading]:
    for percent in (50, 99):
        yield from _growth(f"p{percent}", seen.over_time(SERVICE, percent), "ms", f"p{percent}")
    yield Reading("p50 of the baseline", seen.over_time(BASELINE, 50), "ms")
    yield Reading("events", [sum(map(len, seen.delays[SERVICE]))], "")
    yield Reading("events without a callback", [seen.lost], "", NONE)
    yield Reading("callbacks that came twice", [seen.repeated], "", NONE)


def _growth(name: str, values: list[float], unit: str, quantity: str) -> Iterator[Reading]:
    ratio = growth(values, slack=SLACK[quantity])
    yield Reading(f"{name}: last third over the second", [ratio], goal=STEADY)
    yield Reading(name, values, unit)


def _charts(watch: Watch, seen: Callbacks) -> list[Chart]:
    delays = {
        f"{side}, p{percent}": list(enumerate(seen.over_time(side, percent), 1))
        for side, percent in ((SERVICE, 50), (SERVICE, 99), (BASELINE, 50))
    }
    return [
        *(
            Chart(
                quantity,
                f"{quantity.capitalize()} of each process",
                "time (minutes)",
                label,
                watch.lines(quantity),
            )
            for quantity, label in LABELS.items()
        ),
        Chart("latency", "Event to callback", "time (minutes)", "time from event to callback (ms)", delays),
    ]


def main() -> int:
    """Soak, and keep the record; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=TITLE)
    parser.add_argument("--minutes", type=int, default=MINUTES)
    minutes, progress = parser.parse_args().minutes, Progress()
    said = run.words("soak", ROOT / "benchmarks")
    try:
        record = run.record(said, f"make soak MINUTES={minutes}", partial(soak, minutes, progress))
    except LocalError as error:
        progress.say(f"[red]error:[/] {escape(str(error))}")
        return 1
    except KeyboardInterrupt:
        progress.say("interrupted; nothing is kept")
        return 130
    report.save(FILE, {"soak": record})
    missed = [f"{reading.name} is {reading.value}" for reading in record.missed]
    progress.say(f"[red]not flat:[/] {'; '.join(missed)}" if missed else "[green]flat[/]")
    progress.say(f"kept in {FILE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
