"""Pictures of where the CPU goes: `python -m benchmarks.profiles after [FOLDER]`.

A flame graph each of the dispatcher (single deliveries), fan-out and an API call, as the benchmarks run them.
Samples are of the thread that holds the interpreter: a thread that waits for work looks busy otherwise.
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import event_path
from benchmarks.figures import api, dispatcher, fanout
from benchmarks.null_receiver import null_receiver
from local.paths import ROOT, tool
from local.progress import Progress
from tests.factories import BASE, InMemoryApp

SECONDS = 8
RATE = 500  # samples a second
ABSOLUTE = re.compile(r"(?<=\()/[^\s:()]*/(?=[^/\s:()]+:\d+\))")  # the folder of a file that no package has


@contextmanager
def _dispatcher() -> Iterator[Callable[[], object]]:
    with null_receiver() as running:
        yield dispatcher.works(running, 1)[0]


@contextmanager
def _fan_out() -> Iterator[Callable[[], object]]:
    yield fanout.fan_out(event_path.events_batch(fanout.BATCH), fanout.stub_botocore)


@contextmanager
def _api() -> Iterator[Callable[[], object]]:
    app = InMemoryApp()
    app.create()
    handle = api.handler_of(app)
    event = api.request(app, "POST", f"{BASE}/webhooks/fetch", {"pSize": 25})
    yield lambda: handle(event)


LOOPS = {"dispatcher": _dispatcher, "fanout": _fan_out, "api": _api}


def main() -> None:
    """Write the pictures; or with --loop work, for the profiler to look at."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profiles", description=__doc__)
    parser.add_argument("name", help="before or after")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "benchmarks" / "profiles")
    parser.add_argument("--loop", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.loop:
        with LOOPS[asked.name]() as work:
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                work()
        return
    asked.folder.mkdir(parents=True, exist_ok=True)
    for subject in LOOPS:
        with Progress().step(subject):
            _draw(subject, asked.folder / f"{subject}-{asked.name}.svg")


def _draw(subject: str, picture: Path) -> None:
    subprocess.run(
        [
            *(tool(".venv-bench", "py-spy"), "record", "-r", str(RATE), "--gil", "--function", "-o", picture),
            *("--", sys.executable, "-m", "benchmarks.profiles", subject, "--loop"),
        ],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    drawn = ABSOLUTE.sub("", picture.read_text("utf-8"))
    title = f"{subject}: where its CPU goes"
    picture.write_text(
        re.sub(r"(<text [^>]*id=\"title\"[^>]*>).*?(</text>)", rf"\1{title}\2", drawn), "utf-8"
    )


if __name__ == "__main__":
    main()
