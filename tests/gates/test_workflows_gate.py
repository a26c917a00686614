"""The gate of the workflows, and the runner of all gates."""

import json
import re
import sys
from pathlib import Path

import pytest

from tools.gates import __main__ as runner
from tools.gates import workflows
from tools.gates.gate import GateError

GOOD = """\
name: good
on: push
permissions: {}
jobs:
  test:
    name: make test
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
        with:
          persist-credentials: false
      - run: make test
"""


def check(folder: Path, text: str) -> str:
    (folder / "a.yml").write_text(text)
    return workflows.check(folder)


def test_a_release_is_made_of_a_version_alone() -> None:
    """The tag goes through make to a shell: a name such as v$(curl...) must start nothing."""
    text = (workflows.WORKFLOWS / "release.yml").read_text("utf-8")
    tags = json.loads(re.search(r"^ +tags: (\[.*\])$", text, re.MULTILINE)[1])  # type: ignore[index]
    plain = re.compile(r"v\[0-9\]\+\.\[0-9\]\+\.\[0-9\]\+(-(alpha|beta|rc)\.\[0-9\]\+)?")
    assert [each for each in tags if not plain.fullmatch(each)] == []
    assert len(tags) == 4


def test_a_good_workflow_holds(tmp_path: Path) -> None:
    assert check(tmp_path, GOOD) == "1 workflows"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("make test\n", "make all\n", "make all: there is no such target"),
        ("run: make test", "run: python -m tools.absent", "tools.absent: there is no such module"),
        ("@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0", "@v5", "pin it to a commit"),
        (" # v5.0.0", "", "pin it to a commit"),
        ("runs-on: ubuntu-24.04", "run-on: ubuntu-24.04", "run-on"),  # the schema
        ("contents: read", "contents: reading", "reading"),
        ("permissions:\n      contents: read", "permissions: write-all", "excessive-permissions"),
        ("run: make test", "run: echo ${{ github.event.pull_request.title }}", "template-injection"),
    ],
)
def test_each_fault_is_found(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in GOOD
    with pytest.raises(GateError, match=fault):
        check(tmp_path, GOOD.replace(old, new))


def test_no_workflows_at_all_fail(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="has no workflows"):
        workflows.check(tmp_path)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["gates", *arguments])
    return runner.main()


def fail() -> str:
    raise GateError("the first finding\nthe second")


def test_a_gate_that_does_not_hold_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "GATES", {"a": lambda: "two checks", "b": fail})
    assert run(monkeypatch, "a") == 0
    assert run(monkeypatch) == 1
    shown = capsys.readouterr()
    assert "holds  a (0 s): two checks" in shown.out
    assert "FAILS  b (0 s): the first finding\n        the second\n" in shown.out
    assert "1 of 2 gates do not hold" in shown.err


def test_a_gate_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "sizes")
    assert ended.value.code == 2
