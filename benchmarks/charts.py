"""Draws the records of a folder: `.venv-bench/bin/python -m benchmarks.charts docs/benchmarks`.

Needs matplotlib and imports little else. The same records give the same bytes.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl  # type: ignore[import-not-found]
from matplotlib.figure import Figure  # type: ignore[import-not-found]
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # type: ignore[import-not-found]

from benchmarks.chart_lines import styled
from benchmarks.figure import Chart, Reading, number
from benchmarks.report import FIGURES, SOAK, SUMMARY, Records, chart_file, load, ordered

VERDICTS = {"met": "#009E73", "missed": "#D55E00"}
INK, FAINT, BAND = "#222222", "#d9dde2", "#f5f7f9"
STYLE = {
    "svg.fonttype": "path",  # text looks the same with any fonts
    "svg.hashsalt": "benchmarks",  # the same ids in every run
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": "#8a929b",
    "axes.labelcolor": INK,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
FURTHEST = 100.0  # times better or worse than a goal: a bar ends there
ROW, WIDE, CHARACTER = 0.27, 4.8, 0.078  # inches
CROWDED = 500  # highest over lowest: from there on, an axis shows powers of ten alone
GIVE = 1.3  # of the axis, beyond the longest bar
HEADROOM = 1.05  # of the axis, above the highest point


@dataclass(frozen=True, slots=True)
class Bar:
    """A reading against its goal: `ends` are the median, the best and the worst sample, 1 is the goal."""

    reading: Reading
    ends: tuple[float, float, float]


def main(folder: Path) -> int:
    """Draw all charts and remove stale files; return the exit status."""
    mpl.rcParams.update(STYLE)
    kept = load(folder / FIGURES)
    charts = _charts({**kept, **load(folder / SOAK)})
    figures = {chart_file(key, chart): lines(chart) for key, chart in charts}
    groups = bars(kept)
    if groups:
        figures[SUMMARY] = summary(groups)
    for stale in folder.glob("*.svg"):
        if stale.name not in figures:
            stale.unlink()
    for name, figure in figures.items():
        figure.savefig(folder / name, bbox_inches="tight", pad_inches=0.2, metadata={"Date": None})
    return 0


def bars(records: Records) -> dict[str, list[Bar]]:
    """Return the bars of each numbered figure with goals, by its heading."""
    return {
        f"{key}  {records[key].title}": [_bar(reading) for reading in records[key].goals]
        for key in ordered(records)
        if key.isdecimal() and records[key].goals
    }


def over_goal(reading: Reading, value: float) -> float:
    """Return a value over its goal, or the goal over it where more is better: above 1 misses it."""
    goal = reading.goal
    if goal is None:
        raise ValueError(reading.name)
    part, whole = (goal.bound, value) if goal.at_least else (value, goal.bound)
    if whole == 0:
        return 1.0 if goal.is_met(value) else FURTHEST
    return min(max(part / whole, 1 / FURTHEST), FURTHEST)


def summary(groups: Mapping[str, list[Bar]]) -> Figure:
    """Draw each reading over its goal: a bar from the goal to the median, a line over the spread."""
    drawn = [bar for group in groups.values() for bar in group]
    rows = len(groups) + len(drawn)
    figure = Figure(figsize=(WIDE, ROW * rows))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xscale("log")
    ends = [end for bar in drawn for end in bar.ends]
    axes.set_xlim(min(0.5, *ends) / GIVE, max(2, *ends) * GIVE)
    axes.set_ylim(rows - 0.5, -0.5)
    left = -_width(bar.reading.name for bar in drawn) - 0.08
    value = 1 + _width(bar.reading.value for bar in drawn)
    right = value + _width(str(bar.reading.goal) for bar in drawn)
    row = 0
    for heading, group in groups.items():
        if list(groups).index(heading) % 2 == 0:
            # Behind the names and values beside the axes, too.
            whole = (row - 0.5, row + len(group) + 0.5, left, right)
            axes.axhspan(*whole, color=BAND, lw=0, zorder=0, clip_on=False)
        _write(axes, left + 0.01, row, heading, weight="bold")
        for bar in group:
            row += 1
            _draw_bar(axes, bar, row)
            _write(axes, -0.02, row, bar.reading.name, ha="right")
            _write(axes, value, row, bar.reading.value, ha="right", color=VERDICTS[bar.reading.verdict])
            _write(axes, right - 0.01, row, str(bar.reading.goal), ha="right")
        row += 1
    axes.axvline(1, color=INK, lw=1.2, zorder=4)
    axes.text(1, -0.7, "← better    goal    worse →", ha="center", va="bottom", size=9, weight="bold")
    axes.grid(axis="x", zorder=1)
    _plain(axes.xaxis)
    axes.set_xlabel("measured over goal (goal over measured where more is better)", size=9)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    return figure


def lines(chart: Chart) -> Figure:
    """Draw the lines of a chart, with the legend beside it."""
    figure = Figure(figsize=(8, 4.2))
    axes = figure.add_subplot()
    if "x" in chart.log:
        axes.set_xscale("log")
    if "y" in chart.log:
        axes.set_yscale("log")
    drawn = styled(chart.lines)
    for line in drawn:
        xs, ys = zip(*line.points, strict=True) if line.points else ((), ())
        axes.plot(
            xs,
            ys,
            label=line.label,
            color=line.colour,
            marker=line.marker,
            markevery=line.marks,
            markersize=6 + line.width / 2,  # a marker is seen around the one in front of it
            markeredgecolor="white",
            linewidth=line.width,
        )
    axes.set_title(chart.title)
    axes.set_xlabel(chart.x)
    axes.set_ylabel(chart.y)
    axes.grid()
    _plain(axes.xaxis)
    _plain(axes.yaxis)
    if "y" not in chart.log and all(y >= 0 for line in chart.lines.values() for _, y in line):
        axes.set_ylim(0, max((y for line in chart.lines.values() for _, y in line), default=1) * HEADROOM)
    if len(drawn) > 1:
        _legend(axes)
    return figure


def _legend(axes: Any) -> None:
    """Write the legend beside the axes, where it covers no data, in the order of the lines' ends."""
    handles, labels = axes.get_legend_handles_labels()
    ordered_ = sorted(zip(handles, labels, strict=True), key=lambda each: -_end(each[0]))
    handles, labels = zip(*ordered_, strict=True)
    axes.legend(handles, labels, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=9)


def _end(line: Any) -> float:
    ys = line.get_ydata()
    return float(ys[-1]) if len(ys) else 0.0


def _bar(reading: Reading) -> Bar:
    scaled = sorted(over_goal(reading, value) for value in (min(reading.samples), max(reading.samples)))
    return Bar(reading, (over_goal(reading, reading.median), scaled[0], scaled[1]))


def _draw_bar(axes: Any, bar: Bar, row: int) -> None:
    median, best, worst = bar.ends
    colour = VERDICTS[bar.reading.verdict]
    marker = {1 / FURTHEST: "<", FURTHEST: ">"}.get(median, "o")  # it goes on, or it ends here
    axes.barh(row, median - 1, left=1, height=0.5, color=colour, zorder=2)
    axes.plot([best, worst], [row, row], color=INK, lw=1, zorder=3, solid_capstyle="butt")
    axes.plot([median], [row], marker, color=colour, markeredgecolor="white", markersize=6, zorder=5)


def _write(axes: Any, x: float, row: int, text: str, **style: Any) -> None:
    axes.text(x, row, text, transform=axes.get_yaxis_transform(), va="center", size=9, **style)


def _width(texts: Iterable[str]) -> float:
    return (max(map(len, texts)) * CHARACTER + 0.2) / WIDE


def _charts(records: Records) -> Iterator[tuple[str, Chart]]:
    return (
        (key, chart)
        for key in ordered(records)
        for chart in records[key].measured.charts
        if chart.constant is None
    )


def _plain(axis: Any) -> None:
    if axis.get_scale() == "log":
        low, high = sorted(axis.get_view_interval())
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < CROWDED else (1,)))
        axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value).replace("e-0", "e-")))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
