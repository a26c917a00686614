"""The workflows of GitHub Actions: their schema, zizmor's security rules, and the targets that they run."""

import re
from collections.abc import Iterable
from pathlib import Path

from tools.gates.gate import ROOT, GateError, program, run

WORKFLOWS = ROOT / ".github" / "workflows"
TARGET = re.compile(r"^([a-z][a-z0-9-]*):", re.MULTILINE)
MAKE = re.compile(r"\bmake ([a-z][a-z0-9-]*)")
MODULE = re.compile(r"\bpython -m ([\w.]+)")
PINNED = re.compile(r"uses: (?:\$/[\w./-]+|[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$")


def check(folder: Path = WORKFLOWS) -> str:
    """Return how many workflows hold. Raises GateError with each finding."""
    workflows = sorted(folder.glob("*.yml"))
    if not workflows:
        raise GateError(f"{folder} has no workflows")
    findings = [line for path in workflows for line in commands(path)]
    for command in (
        (program(".venv-gates", "check-jsonschema"), "--builtin-schema", "vendor.github-workflows"),
        (
            program(".venv-gates", "zizmor"),
            "--offline",
            "--no-progress",
            "--persona",
            "regular",
            "--color",
            "never",
        ),
    ):
        ended = run(*command, *workflows)
        if ended.returncode:
            findings += (ended.stdout + ended.stderr).strip().splitlines()
    if findings:
        raise GateError("\n".join(findings))
    return f"{len(workflows)} workflows"


def commands(workflow: Path) -> Iterable[str]:
    """Yield the targets and modules of a workflow that do not exist, and its actions that are not pinned."""
    text = workflow.read_text("utf-8")
    targets = set(TARGET.findall((ROOT / "Makefile").read_text("utf-8")))
    for target in MAKE.findall(text):
        if target not in targets:
            yield f"{workflow.name}: make {target}: there is no such target"
    for module in MODULE.findall(text):
        path = ROOT.joinpath(*module.split("."))
        if not (path.with_suffix(".py").exists() or (path / "__main__.py").exists()):
            yield f"{workflow.name}: python -m {module}: there is no such module"
    for line in text.splitlines():
        if "uses:" in line and not PINNED.search(line.strip()):
            yield f"{workflow.name}: {line.strip()}: pin it to a commit, with the version in a comment"
