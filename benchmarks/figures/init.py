"""The init of each function as `sam build` leaves it, under Lambda's Runtime Interface Emulator.

It lasts from the start of Python to the runtime's request for the first call, with the function and the
layers first on the path, with their bytecode, and with Lambda's own runtime. Measured against a function
that only imports boto3, in the same way and right before or after: the ratio of each such pair is a sample.
It is CPU seconds of the function's process that are compared; the clock's, which Lambda bills, are the same
on a machine with nothing else to do.
"""

import shutil
import statistics
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from benchmarks.figure import Goal, Measured, Reading
from benchmarks.paired import PAIRS
from benchmarks.runtime_emulator import FOLDER, Init, compile_unchecked
from benchmarks.runtime_emulator import built as build
from benchmarks.runtime_emulator import init as start
from local.progress import Progress

TITLE = "Init of each function"
AGAINST = "a function that only imports boto3"
BOUND = """\
Botocore, which is the baseline too, takes about half of either function with a goal that is near. Of the rest
of the first, pydantic and our schemas take about half; of the second, a third is dataclasses, whose methods
Python compiles as it makes each class, and the others are cryptography and libcurl. Schemas that are built
when they are first needed would move their cost into a request."""
API, QUEUE = Goal(2), Goal(1.5)
FUNCTIONS = {
    "webhooks": ("WebhooksFunction", API),
    "service_keys": ("ServiceKeysFunction", API),
    "ecdsa_helper": ("EcdsaHelperFunction", API),
    "discovery": ("DiscoveryFunction", API),
    "console": ("ConsoleFunction", API),
    "fanout": ("FanoutFunction", QUEUE),
    "dispatcher": ("DispatcherFunction", QUEUE),
    "maintenance": ("MaintenanceFunction", QUEUE),
}
BASELINE = """\
import boto3


def lambda_handler(_event, _context):
    return {}
"""


def measure(progress: Progress) -> Measured:
    with progress.step("sam build"):
        built = build()
        baseline = _baseline()
    pairs: dict[str, list[tuple[Init, Init]]] = defaultdict(list)
    for number in range(PAIRS + 1):
        with progress.step(
            f"round {number} of {PAIRS}" if number else "a round to fill the file system's cache"
        ):
            for name, (logical_id, _) in FUNCTIONS.items():
                function = built.function(logical_id)
                if number % 2:
                    ours, bare = start(built, function), start(built, baseline)
                else:
                    bare, ours = start(built, baseline), start(built, function)
                if number:
                    pairs[name].append((ours, bare))
    readings = [
        Reading(name, [ours.cpu_ms / bare.cpu_ms for ours, bare in pairs[name]], goal=goal)
        for name, (_, goal) in FUNCTIONS.items()
    ]
    return Measured(readings, remarks=[_medians(pairs)])


def _baseline() -> Path:
    folder = FOLDER / "baseline"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "app.py").write_text(BASELINE, "utf-8")
    compile_unchecked(folder)
    return folder


def _medians(pairs: dict[str, list[tuple[Init, Init]]]) -> str:
    inits = {name: [ours for ours, _ in each] for name, each in pairs.items()}
    inits["only boto3"] = [bare for each in pairs.values() for _, bare in each]
    listed = [
        f"{name} {_median(each.cpu_ms for each in taken)} ({_median(each.wall_ms for each in taken)})"
        for name, taken in inits.items()
    ]
    return f"Medians in milliseconds of CPU (and on the clock): {', '.join(listed)}."


def _median(milliseconds: Iterable[float]) -> str:
    return f"{statistics.median(milliseconds):.0f}"
