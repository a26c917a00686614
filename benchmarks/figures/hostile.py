"""A batch of five tenants' good events with a hostile one, on a 512 MB function's share of a processor.

The hostile ones: costly queries over a megabyte, 900 KB in four-byte characters, a flood of cached queries,
five thousand webhooks, 400 deep fields, megabytes that grow when parsed, and 400 conditions of each of a
thousand webhooks. AWS is stubbed below botocore, and each case has a process of its own. The time of an
event ends when its deliveries are on their queue; both hops between the functions take their p99 of 105 ms.
"""

import json
import subprocess
import sys

from benchmarks.figure import Goal, Measured, Reading
from local.paths import ROOT
from local.progress import Progress
from tests.hostile import CASES, TENANTS, Result

TITLE = "A hostile event in a batch"
AGAINST = "the same batch without it"
SAMPLES = 5
HOPS = 2 * 0.105  # seconds
GOAL = Goal(1.5)


def measure(progress: Progress) -> Measured:
    found = {}
    for name in CASES:
        with progress.step(name.replace("_", " ")):
            found[name] = [_run(name) for _ in range(SAMPLES)]
    alone = found.pop("harmless")
    readings = [
        Reading(
            f"the others' time, {name.replace('_', ' ')}",
            [
                (HOPS + run.good_seconds) / (HOPS + base.good_seconds)
                for run, base in zip(runs, alone, strict=True)
            ],
            goal=GOAL,
        )
        for name, runs in found.items()
    ]
    worst = [run for runs in found.values() for run in runs]
    readings.append(Reading("longest invocation", [max(run.longest for run in worst)], "s", Goal(20)))
    remarks = [
        f"{name.replace('_', ' ')}: {runs[0].invocations} invocations, the longest {runs[0].longest:.1f} s; "
        f"{runs[0].delivered:,} deliveries, {len(runs[0].dead)} dead letters."
        for name, runs in found.items()
    ]
    return Measured(readings, remarks=remarks)


def _run(case: str) -> Result:
    command = [sys.executable, "-m", "tests.hostile", case]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    result = Result(**json.loads(done.stdout))
    if result.good != {f"good-{tenant}": 1 for tenant in range(TENANTS)}:
        raise AssertionError(f"{case}: {result.good}")
    return result
