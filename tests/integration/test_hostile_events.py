"""A hostile event harms no other tenant's event of its batch, within processor and memory of a 512 MB function."""

import json
import subprocess
import sys
from functools import cache

import pytest

from local.paths import ROOT
from tests.hostile import CASES, TENANTS, Result

BASE_MB = 60  # of the function itself
MEMORY_MB, SECONDS = 256, 20  # that no invocation exceeds
LATE = 0.15  # seconds of Lambda's share that a good event may wait for hostile ones of its batch


@cache
def outcome(case: str) -> Result:
    command = [sys.executable, "-m", "tests.hostile", case]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    return Result(**json.loads(done.stdout))


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_event_harms_no_other_event_of_its_batch(case: str) -> None:
    found, wanted = outcome(case), CASES[case]().wanted
    # The good ones are delivered by the first invocation, and about as soon as without it.
    assert found.good == {f"good-{tenant}": 1 for tenant in range(TENANTS)}
    assert found.good_failed == 0
    assert found.good_seconds <= outcome("harmless").good_seconds + LATE
    # The hostile one is delivered, or dead-lettered alone with a reason.
    if wanted is None:
        assert all(found.dead)
    else:
        assert (found.delivered, found.dead) == (wanted, [])
        assert found.most <= 1
    assert found.longest <= SECONDS
    assert found.growth + BASE_MB <= MEMORY_MB
