"""Runs the end-to-end tests against a deployed stack, and reads their result."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from acceptance.account import Account
from acceptance.errors import AcceptanceError
from acceptance.names import Names
from acceptance.sam import wait_for
from local.paths import ROOT

TESTS = ("tests/e2e",)
SECONDS = 3600
INTERNAL = 2  # pytest's codes from here on are not of tests: interrupted, a wrong call


@dataclass(frozen=True)
class Suite:
    """The result of the tests: counts, and the names of those that failed."""

    passed: int
    skipped: int
    failed: tuple[str, ...]

    def __str__(self) -> str:
        names = f": {', '.join(self.failed)}" if self.failed else ""
        return f"{self.passed} passed, {len(self.failed)} failed{names}, {self.skipped} need the local stack"


def run(
    account: Account, names: Names, folder: Path, *, tests: Sequence[str], say: Callable[[str], None]
) -> str:
    """Run the tests against the stack. Raises AcceptanceError where one fails."""
    junit, log = folder / "junit.xml", folder / "pytest.log"
    junit.unlink(missing_ok=True)
    environment = os.environ | {
        "E2E_TARGET": f"aws:{names.service}",
        "AWS_REGION": account.region,
        "AWS_DEFAULT_REGION": account.region,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-v", *(tests or TESTS), f"--junitxml={junit}"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        code = wait_for(process, seconds=SECONDS)
    if code is None or code >= INTERNAL or not junit.is_file():
        raise AcceptanceError(f"the tests did not end as tests do (code {code}); read {log}")
    suite = read(junit)
    say(str(suite))
    if suite.failed:
        raise AcceptanceError(f"{suite}; read {log}")
    if not suite.passed:
        raise AcceptanceError(f"no test ran; read {log}")
    return str(suite)


def read(junit: Path) -> Suite:
    """Read pytest's result."""
    counts: Counter[str] = Counter()
    failed = []
    for case in ET.parse(junit).iter("testcase"):  # noqa: S314 - our own file
        outcome = next((each.tag for each in case if each.tag in {"failure", "error", "skipped"}), "passed")
        counts[outcome] += 1
        if outcome in {"failure", "error"}:
            failed.append(f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}")
    return Suite(counts["passed"], counts["skipped"], tuple(failed))
