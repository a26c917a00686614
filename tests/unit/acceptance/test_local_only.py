"""End-to-end tests that cannot run against an account say so: `make aws-accept` leaves them out, with the reason."""

import ast
import re
from pathlib import Path

import pytest

from local.paths import ROOT

FILES = sorted((ROOT / "tests" / "e2e").glob("test_*.py"))
# Of the local stack alone: its processes, files and ports, the emulator's permissions, receivers on loopback.
LOCAL = re.compile(
    r"\bstack\.(?:emulator|folder|port|endpoint|up|down|deploy|build)\b|\bpermissions\.\w+\(|\bReceiver\(|\bStack\("
)
REASON_WORDS = 4


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_a_test_that_needs_the_local_stack_says_so(file: Path) -> None:
    source = file.read_text()
    needs = LOCAL.findall(source)

    assert not needs or "local_only(" in source, (
        f"{file.name} uses {sorted(set(needs))}: add pytestmark = pytest.mark.local_only(<the reason>), or use "
        "open_receiver() of tests/e2e/targets.py in place of Receiver()"
    )


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_each_mark_has_a_reason(file: Path) -> None:
    marks = [
        node
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("local_only")
    ]
    for mark in marks:
        assert len(mark.args) == 1, ast.unparse(mark)
        assert len(ast.literal_eval(mark.args[0]).split()) >= REASON_WORDS


def test_the_tests_of_the_api_and_of_deliveries_run_anywhere() -> None:
    anywhere = {file.stem for file in FILES if "local_only(" not in file.read_text()}
    assert {"test_api", "test_delivery", "test_publishing", "test_health", "test_openapi"} <= anywhere
