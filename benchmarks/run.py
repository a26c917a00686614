"""Runs one figure, in this process: `python -m benchmarks.run KEY OUT.json COMMAND`.

The output of its module goes to stderr, so that a person sees its steps alone. OUT.json gets a record, or one
line with the reason why there is none; then the exit status is 1.
"""

import ast
import importlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.console import Console

from benchmarks.figure import Measured
from benchmarks.report import Record
from local.errors import LocalError
from local.paths import ROOT
from local.progress import Progress

FIGURES = {
    "1": "dispatcher",
    "2": "new_host",
    "3": "signatures",
    "4": "matching",
    "5": "fanout",
    "6": "api",
    "7": "init",
    "8": "memory",
    "9": "billed",
    "10": "counts",
    "11": "fairness",
    "12": "cost",
    "13": "latency",
    "14": "pages",
    "15": "wide",
    "16": "hostile",
    "17": "log_pages",
    "18": "stack",
    "scale": "scale",
}
FOLDER = ROOT / "benchmarks" / "figures"
# Files that a run writes, which make no tree dirty.
OURS = [":(exclude)docs/benchmarks", ":(exclude)docs/benchmarks.md"]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a figure's module about itself."""

    title: str
    against: str
    text: str
    bound: str


def chosen(only: str | None) -> list[str]:
    """Return the keys that a text such as "4,10" names, as a full run orders them; all for None.

    Raises LocalError.
    """
    if only is None:
        return list(FIGURES)
    names = re.findall(r"[^,\s]+", only)
    unknown = [name for name in names if name not in FIGURES]
    if unknown or not names:
        raise LocalError(f"ONLY={only}: figures are 1 to 18 and scale, as in ONLY=4 or ONLY=4,10")
    return [key for key in FIGURES if key in names]


def words(name: str, folder: Path = FOLDER) -> Words:
    """Read a module's words without importing it, so that they can be changed after it was measured.

    They are plain strings: TITLE, AGAINST, perhaps BOUND, and its docstring. Raises LocalError.
    """
    try:
        tree = ast.parse((folder / f"{name}.py").read_text("utf-8"))
    except FileNotFoundError:
        raise LocalError(f"there is no benchmarks/figures/{name}.py") from None
    except SyntaxError as error:
        raise LocalError(f"benchmarks/figures/{name}.py, line {error.lineno}: {error.msg}") from None
    found = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }
    if not found.keys() >= {"TITLE", "AGAINST"}:
        raise LocalError(f"benchmarks/figures/{name}.py has no TITLE and AGAINST that are plain strings")
    return Words(found["TITLE"], found["AGAINST"], ast.get_docstring(tree) or "", found.get("BOUND", ""))


def measure(name: str, progress: Progress) -> Measured:
    """Import a figure's module and let it measure; raises its errors, or ValueError for no samples."""
    measured = importlib.import_module(f"benchmarks.figures.{name}").measure(progress)
    if not isinstance(measured, Measured):
        raise TypeError(f"{name}.measure returned no Measured")
    empty = [reading.name for reading in measured.readings if not reading.samples]
    if empty or not measured.readings:
        raise ValueError(f"nothing was measured: {', '.join(empty) or 'there are no readings'}")
    return measured


def record(said: Words, command: str, work: Callable[[], Measured]) -> Record:
    """Measure, and note date, commit, machine and duration."""
    date, tree, started = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", commit(), time.monotonic()
    measured = work()
    return Record(
        measured,
        date=date,
        commit=tree,
        command=command,
        machine=machine(),
        seconds=round(time.monotonic() - started, 1),
        **asdict(said),
    )


def machine() -> Mapping[str, str]:
    """Describe this machine by the facts that a figure depends on, and by no name of its own."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    release = re.match(r"\d+\.\d+", platform.release())  # the rest can name the machine's owner
    return {
        "processor": _processor(),
        "cores": f"{os.cpu_count()} cores",
        "memory": f"{memory / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {release[0] if release else ''}".strip(),
        "python": f"Python {platform.python_version()}",
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    text = information.read_text("utf-8") if information.is_file() else ""
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return f"{named[1].strip()} ({platform.machine()})" if named else platform.machine()


def commit() -> str:
    """Return the commit's short hash, with a "+" where the tree differs from it."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    asked = [
        subprocess.run(
            [git, "--no-optional-locks", *question], cwd=ROOT, capture_output=True, text=True, check=False
        )
        for question in (["rev-parse", "--short=7", "HEAD"], ["status", "--porcelain", "--", ".", *OURS])
    ]
    if any(response.returncode for response in asked):
        return "unknown"
    return asked[0].stdout.strip() + ("+" if asked[1].stdout else "")


def line_of(error: BaseException) -> str:
    first = (str(error).strip().splitlines() or [""])[0]
    kind = "" if isinstance(error, LocalError) else type(error).__name__
    return placeless(": ".join(part for part in (kind, first) if part))


def placeless(text: str) -> str:
    """Return a text without where the project stands on this machine."""
    return text.replace(f"{ROOT}/", "").replace(str(ROOT), ".")


def main(key: str, out: Path, command: str) -> int:
    shown = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    progress = Progress(Console(file=shown, highlight=False, soft_wrap=True))
    try:
        name = FIGURES[key]
        found = record(words(name), command, partial(measure, name, progress))
        text = json.dumps(found.to_json(), ensure_ascii=False)
    except Exception as error:  # noqa: BLE001 - whatever a figure fails with, the others go on
        traceback.print_exc()
        out.write_text(json.dumps({"failed": line_of(error)}), "utf-8")
        return 1
    out.write_text(placeless(text), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
