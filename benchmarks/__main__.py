"""Measures the figures, keeps their records in docs/benchmarks, and writes docs/benchmarks.md.

`make bench ONLY=4,10` and `.venv/bin/python -m benchmarks --only 4,10` do the same: tools that are missing
are installed first.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks import environments, report
from benchmarks.report import Record
from benchmarks.run import FIGURES, FOLDER, chosen, words
from local.errors import LocalError
from local.paths import LOCAL, ROOT
from local.progress import Progress

PAGE = ROOT / "docs" / "benchmarks.md"
KEPT = ROOT / "docs" / "benchmarks"
LOGS = LOCAL / "bench"
NEED_RUNTIME = {"7"}  # figures that start functions under Lambda's runtime
WIDTH = 160  # columns, where no terminal says how many it has
GRACE = 30  # seconds in which an interrupted figure ends the processes that it started


@dataclass(frozen=True, slots=True)
class Failed:
    """A figure that said nothing, and in one line why."""

    title: str
    reason: str


type Outcome = Record | Failed


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog="figures:\n" + "\n".join(f"  {key:6} {_title(name)}" for key, name in FIGURES.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", metavar="4,10", help="the figures to measure (default: all)")
    parser.add_argument("--report", action="store_true", help="write docs/benchmarks.md without measuring")
    options = parser.parse_args()
    progress = Progress()
    try:
        keys = [] if options.report else chosen(options.only)
        runtime = [environments.RUNTIME] if NEED_RUNTIME.intersection(keys) else []
        environments.install([environments.CHARTS, *runtime], progress)
        command = "make bench" + (f" ONLY={','.join(keys)}" if options.only else "")
        outcomes = {}
        for number, key in enumerate(keys, start=1):
            progress.say(f"[bold]== figure {key}[/] ({number} of {len(keys)})")
            outcomes[key] = attempt(key, FIGURES[key], command=command, progress=progress)
            keep(outcomes[key], key=key)
        if outcomes:
            show(outcomes)
        publish(progress)
    except LocalError as error:
        progress.say(f"[red]error:[/] {escape(str(error))}")
        return 1
    except KeyboardInterrupt:
        progress.say(
            "interrupted; the figures before are kept, and `python -m benchmarks --report` shows them"
        )
        return 130
    return status(outcomes)


def _title(name: str) -> str:
    try:
        return words(name).title
    except LocalError:
        return name


def attempt(key: str, name: str, *, command: str, progress: Progress) -> Outcome:
    """Run a figure in a process of its own and say how long it took."""
    started, title = time.monotonic(), name
    try:
        title = words(name).title
        progress.say(f"[bold]{escape(title)}[/]")
        outcome: Outcome = _run(key, title, command)
    except LocalError as error:
        outcome = Failed(title, str(error))
    elapsed = f"{time.monotonic() - started:.0f} s"
    if isinstance(outcome, Failed):
        progress.say(f"[red]failed[/] after {elapsed}: {escape(outcome.reason)}")
    else:
        progress.say(f"{elapsed}, {_goals(outcome)}")
    return outcome


def keep(outcome: Outcome, *, key: str, folder: Path = KEPT) -> None:
    """Replace the figure's record; a failed figure leaves it."""
    if isinstance(outcome, Record):
        path = folder / report.FIGURES
        report.save(path, {**report.load(path), key: outcome})


def rows(outcomes: Mapping[str, Outcome]) -> list[list[str]]:
    """Return the table's rows: number, reading, measured against, median, spread, goal, verdict."""
    lines = []
    for key, outcome in outcomes.items():
        if isinstance(outcome, Failed):
            lines.append([key, outcome.title, "", "", "", "", f"failed: {outcome.reason}"])
            continue
        lines.append([key, outcome.title, outcome.against, "", "", "", ""])
        lines += [["", f"  {each.name}", "", *report.cells(each)] for each in outcome.measured.readings]
    return lines


def status(outcomes: Mapping[str, Outcome]) -> int:
    return int(any(isinstance(outcome, Failed) for outcome in outcomes.values()))


def show(outcomes: Mapping[str, Outcome]) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)
    table = Table(box=None, pad_edge=False)
    for name in ("#", "reading", "measured against", *report.NUMBERS):
        table.add_column(name, justify="right" if name in {"#", "median"} else "left", overflow="fold")
    colours = {"met": "green", "missed": "red", "": "bold"}
    for row in rows(outcomes):
        table.add_row(*map(escape, row[:-1]), f"[{colours.get(row[-1], 'red')}]{escape(row[-1])}[/]")
    console.print(table)


def publish(progress: Progress) -> None:
    """Write the page and its charts from the kept records, in the modules' present words."""
    records = {
        key: _reworded(record, FIGURES.get(key, ""))
        for key, record in report.load(KEPT / report.FIGURES).items()
    }
    soaked = {
        key: _reworded(record, key, folder=ROOT / "benchmarks")
        for key, record in report.load(KEPT / report.SOAK).items()
    }
    if not records:
        return
    report.save(KEPT / report.FIGURES, records)
    PAGE.write_text(report.markdown(records, soaked, folder=KEPT), "utf-8")
    with progress.step(f"{PAGE.relative_to(ROOT)} and its charts"):
        _draw()


def _goals(record: Record) -> str:
    goals = len(record.goals)
    return f"{goals - len(record.missed)} of {goals} goals met" if goals else "no goals"


def _run(key: str, title: str, command: str) -> Outcome:
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{key}.log"
    with tempfile.TemporaryDirectory() as folder, log.open("w", encoding="utf-8") as errors:
        out = Path(folder) / "out.json"
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.run", key, out, command], cwd=ROOT, stderr=errors
        )
        try:
            code = process.wait()
        except KeyboardInterrupt:  # it was told too, by the terminal
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE)
            raise
        said = json.loads(out.read_text("utf-8")) if out.is_file() else {"failed": _ending(code)}
    if "failed" in said:
        return Failed(title, f"{said['failed']} (log: {log.relative_to(ROOT)})")
    return Record.from_json(said)


def _ending(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"ended with exit status {code}"


def _reworded(record: Record, module: str, folder: Path = FOLDER) -> Record:
    try:
        return replace(record, **asdict(words(module, folder)))
    except LocalError:
        return record


def _draw() -> None:
    python = ROOT / environments.CHARTS / "bin" / "python"
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / "charts.log"
    with log.open("w", encoding="utf-8") as output:
        code = subprocess.run(
            [python, "-m", "benchmarks.charts", KEPT],
            cwd=ROOT,
            # Neither a person's settings nor a cache in their home.
            env={**os.environ, "MPLCONFIGDIR": str(LOCAL / "matplotlib")},
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    if code:
        raise LocalError(f"the charts could not be drawn (log: {log.relative_to(ROOT)})")


if __name__ == "__main__":
    sys.exit(main())
