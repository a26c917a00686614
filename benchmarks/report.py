"""Records of the figures, kept as JSON, and docs/benchmarks.md, which is written from them.

Imports the standard library alone: charts.py reads the same records in another environment.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.figure import Chart, Measured, Reading, number

FIGURES, SOAK, PROFILES = "figures.json", "soak.json", "profiles"
SUMMARY = "summary.svg"
INTRODUCTION = """\
# Benchmarks

`make bench` measures all figures and writes this page; `make bench ONLY=4` measures one figure anew,
`ONLY=4,10` two. The measurements are kept in [benchmarks/figures.json](benchmarks/figures.json). Each figure
runs in a process of its own.

A value in "times" is a ratio to the named baseline. Both sides run in turn, so that a slow phase of the
machine slows both, and CPU seconds are compared where a clock would show little but such phases. The value
is the median of the samples, the spread their lowest and highest. No goal is a test: a missed goal fails
nothing, but the figure names its bound."""
NUMBERS = ["median", "spread", "goal", "verdict"]


@dataclass(frozen=True, slots=True)
class Record:
    """The measurements of a figure, with machine and date, and the words of its module.

    `text`: the method. `bound`: the reason why a goal is missed.
    """

    measured: Measured
    date: str
    commit: str
    command: str
    machine: Mapping[str, str]
    seconds: float
    title: str
    against: str = ""
    text: str = ""
    bound: str = ""

    @property
    def goals(self) -> list[Reading]:
        return [reading for reading in self.measured.readings if reading.goal]

    @property
    def missed(self) -> list[Reading]:
        return [reading for reading in self.goals if reading.verdict == "missed"]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(**{**stored, "measured": Measured.from_json(stored["measured"])})


type Records = Mapping[str, Record]  # by the figure's number, or its name where it has none


def load(path: Path) -> dict[str, Record]:
    """Read records; none where there is no such file."""
    stored = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return {key: Record.from_json(each) for key, each in stored.items()}


def save(path: Path, records: Records) -> None:
    """Write records, numbered ones first, a list of numbers on one line."""
    text = json.dumps({key: records[key].to_json() for key in ordered(records)}, indent=1, ensure_ascii=False)
    text = re.sub(r"\[[^][{}\"]*\]", lambda numbers: re.sub(r"\s*\n\s*", " ", numbers[0]), text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n", "utf-8")


def ordered(keys: Records) -> list[str]:
    return sorted(keys, key=lambda key: (not key.isdecimal(), int(key) if key.isdecimal() else 0, key))


def chart_file(key: str, chart: Chart) -> str:
    return f"{key}-{re.sub(r'[^a-z0-9]+', '-', chart.name.lower()).strip('-')}.svg"


def markdown(records: Records, soak: Records, *, folder: Path) -> str:
    """Write the page. `folder`: where the images are, beside the page; its profiles are looked up."""
    keys = ordered(records)
    numbered = {key: records[key] for key in keys if key.isdecimal()}
    parts = [INTRODUCTION, *_overview(records), *_summary(numbered, folder.name)]
    newest = _newest(records)
    for key in keys:
        parts += _section(key, records[key], newest=newest, images=folder.name)
    for key in ordered(soak):
        parts += _section(key, soak[key], newest=newest, images=folder.name)
    return "\n\n".join([*parts, *_profiles(folder)]) + "\n"


def cells(reading: Reading) -> list[str]:
    return [reading.value, reading.spread, str(reading.goal or ""), reading.verdict]


def _newest(records: Records) -> Record:
    return max(records.values(), key=lambda record: record.date)


def _overview(records: Records) -> Iterator[str]:
    newest = _newest(records)
    goals = sum(len(record.goals) for record in records.values())
    met = goals - sum(len(record.missed) for record in records.values())
    rows = [
        ["machine", machine_line(newest.machine)],
        ["date", newest.date],
        ["commit", f"`{newest.commit}`"],
        ["goals", f"{met} of {goals} met"],
    ]
    yield _table(["", ""], rows)
    if any((record.commit, record.machine) != (newest.commit, newest.machine) for record in records.values()):
        yield "That is the newest figure's; below each stands where and when it was measured."


def _summary(numbered: Records, images: str) -> Iterator[str]:
    yield "## Summary"
    rows = []
    for key, record in numbered.items():
        rows.append([key, f"**{record.title}**", record.against, *[""] * len(NUMBERS)])
        readings = record.goals or record.measured.readings
        rows += [["", reading.name, "", *_marked(reading)] for reading in readings]
    yield _table(["#", "reading", "measured against", *NUMBERS], rows)
    if any(record.goals for record in numbered.values()):
        yield f"![Each reading over its goal, by figure]({images}/{SUMMARY})"


def _section(key: str, record: Record, *, newest: Record, images: str) -> Iterator[str]:
    if key.isdecimal():
        yield f"## {key}. {record.title}"
    else:
        yield f"## {key.capitalize()}"
        yield f"**{record.title}**"
    if record.against.strip("-"):
        yield f"Measured against: {record.against}."
    if record.text:
        yield record.text
    yield _table(
        ["reading", *NUMBERS, "samples"],
        [
            [reading.name, *_marked(reading), str(len(reading.samples))]
            for reading in record.measured.readings
        ],
    )
    for chart in record.measured.charts:
        yield chart_text(key, chart, images)
    if record.measured.remarks:
        yield "\n".join(f"- {remark}" for remark in record.measured.remarks)
    if record.missed and record.bound:
        yield f"**Bound:** {record.bound}"
    where = f" on {machine_line(record.machine)}" if record.machine != newest.machine else ""
    yield f"*{record.date}, commit `{record.commit}`, `{record.command}`, {record.seconds:,.0f} s{where}*"


def chart_text(key: str, chart: Chart, images: str) -> str:
    if chart.constant is not None:
        return f"{_cell(chart.title)}: {number(chart.constant)} in all of them, all the time."
    return f"![{_cell(chart.title)}]({images}/{chart_file(key, chart)})"


def _profiles(folder: Path) -> Iterator[str]:
    names = [path.stem for path in (folder / PROFILES).glob("*.svg")]
    if not names:
        return
    yield "## Profiles"
    yield "Where the CPU seconds went: each image opens as a flame graph of its own."
    rows = []
    for subject in sorted({re.sub(r"-(before|after)$", "", name) for name in names}):
        after = subject if subject in names else f"{subject}-after"
        sides = [_profile(folder, name) if name in names else "" for name in (f"{subject}-before", after)]
        rows.append([subject, *sides])
    yield _table(["", "before", "after"], rows)


def _profile(folder: Path, name: str) -> str:
    path = f"{folder.name}/{PROFILES}/{name}.svg"
    return f"[![{name}]({path})]({path})"


def machine_line(machine: Mapping[str, str]) -> str:
    return ", ".join(machine.values())


def _marked(reading: Reading) -> list[str]:
    return ["**missed**" if cell == "missed" else cell for cell in cells(reading)]


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---:" if name in {"#", "median", "samples"} else "---" for name in head], *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)
