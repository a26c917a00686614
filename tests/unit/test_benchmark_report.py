"""Records and pages of `make bench`, and the choice of its figures; nothing is measured here."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks import report, run
from benchmarks.__main__ import Failed, attempt, keep, rows, status
from benchmarks.figure import Chart, Goal, Measured, Reading
from benchmarks.report import Record
from local.errors import LocalError
from local.paths import ROOT
from local.progress import Progress

AT_MOST, AT_LEAST = Goal(1.5), Goal(0.8, at_least=True)
MACHINE = {"processor": "a processor", "cores": "2 cores"}
BOUND = "The curve itself takes a third of it."


def record(*readings: Reading, **changes: object) -> Record:
    measured = Measured(
        readings or [Reading("of one", [1.0, 1.2, 1.1], goal=AT_MOST)],
        [Chart("By size", "CPU by size", "webhooks", "ms", {"index": [(1.0, 2.0), (10.0, 2.1)]}, log="x")],
        ["the kernel's part is the same on both sides"],
    )
    fields: dict[str, Any] = {
        "date": "2026-11-25 14:40 UTC",
        "commit": "1a22f9d",
        "command": "make bench",
        "machine": MACHINE,
        "seconds": 41.2,
        "title": "A title",
        "against": "a bare loop",
        "text": "How it is measured.",
        "bound": BOUND,
    }
    return Record(measured, **{**fields, **changes})


def page(
    records: dict[str, Record], soak: dict[str, Record] | None = None, folder: Path | None = None
) -> str:
    return report.markdown(records, soak or {}, folder=folder or Path("benchmarks"))


def quiet() -> Progress:
    return Progress(Console(file=io.StringIO()))


@pytest.mark.parametrize(
    ("goal", "value", "verdict"),
    [
        (AT_MOST, 1.5, "met"),
        (AT_MOST, 1.51, "missed"),
        (AT_LEAST, 0.8, "met"),
        (AT_LEAST, 0.79, "missed"),
        (None, 1e9, ""),
    ],
)
def test_a_goal_is_met_at_its_bound_and_on_its_good_side(
    goal: Goal | None, value: float, verdict: str
) -> None:
    assert Reading("r", [value], goal=goal).verdict == verdict


def test_the_median_decides_and_the_spread_shows_the_rest() -> None:
    reading = Reading("r", [9.0, 1.4, 1.3], goal=AT_MOST)

    assert report.cells(reading) == ["1.4 times", "1.3 to 9", "≤ 1.5", "met"]


def test_records_are_the_same_after_json(tmp_path: Path) -> None:
    path = tmp_path / "new" / "figures.json"
    kept = {"2": record(), "10": record(Reading("r", [1.0, 2.0], "KB")), "scale": record(bound="")}
    report.save(path, kept)

    loaded = report.load(path)
    again = {key: json.dumps(each.to_json()) for key, each in loaded.items()}

    assert again == {key: json.dumps(each.to_json()) for key, each in kept.items()}
    assert loaded["2"].measured.readings[0].goal == AT_MOST


def test_a_list_of_numbers_takes_one_line_and_text_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    report.save(path, {"1": record(text="as in [1, 2]:\n  [ 3 ]")})

    assert '"samples": [ 1.0, 1.2, 1.1 ]' in path.read_text("utf-8")
    assert report.load(path)["1"].text == "as in [1, 2]:\n  [ 3 ]"


def test_no_record_exists_before_the_first_run(tmp_path: Path) -> None:
    assert report.load(tmp_path / "figures.json") == {}


def test_figures_are_stored_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    report.save(path, {key: record() for key in ("scale", "10", "9", "2")})

    assert list(report.load(path)) == ["2", "9", "10", "scale"]


def test_a_run_of_one_figure_replaces_that_figure_alone(tmp_path: Path) -> None:
    keep(record(commit="before"), key="4", folder=tmp_path)
    keep(record(commit="before"), key="5", folder=tmp_path)
    keep(record(commit="after"), key="4", folder=tmp_path)

    kept = report.load(tmp_path / report.FIGURES)
    assert {key: each.commit for key, each in kept.items()} == {"4": "after", "5": "before"}


def test_a_failed_figure_leaves_its_earlier_record(tmp_path: Path) -> None:
    keep(record(), key="4", folder=tmp_path)
    keep(Failed("A title", "no reason"), key="4", folder=tmp_path)

    assert list(report.load(tmp_path / report.FIGURES)) == ["4"]


@pytest.mark.parametrize(
    ("only", "keys"),
    [
        ("4", ["4"]),
        ("10,4", ["4", "10"]),
        (" 4, 10 ,4", ["4", "10"]),
        ("scale 1", ["1", "scale"]),
        (None, [*map(str, range(1, 19)), "scale"]),
    ],
)
def test_the_option_only_names_figures_that_run_in_order(only: str | None, keys: list[str]) -> None:
    assert run.chosen(only) == keys


@pytest.mark.parametrize("only", ["0", "19", "4,x", "", ",", "4-6"])
def test_the_option_only_with_an_unknown_figure_lists_the_known_ones(only: str) -> None:
    with pytest.raises(LocalError, match="figures are 1 to 18 and scale"):
        run.chosen(only)


def test_a_missing_module_is_reported_in_one_line_and_fails_the_run() -> None:
    outcome = attempt("4", "nowhere", command="make bench", progress=quiet())
    outcomes = {"1": record(), "4": outcome}

    assert rows(outcomes)[-1] == [
        "4",
        "nowhere",
        *[""] * 4,
        "failed: there is no benchmarks/figures/nowhere.py",
    ]
    assert status(outcomes) == 1


def test_a_missed_goal_fails_no_run() -> None:
    assert status({"1": record(Reading("r", [9.0], goal=AT_MOST))}) == 0


def test_the_table_has_a_row_for_each_reading() -> None:
    assert rows({"1": record(Reading("r", [2.0], goal=AT_MOST), Reading("s", [3.0], "KB"))}) == [
        ["1", "A title", "a bare loop", "", "", "", ""],
        ["", "  r", "", "2 times", "", "≤ 1.5", "missed"],
        ["", "  s", "", "3 KB", "", "", ""],
    ]


def test_the_texts_of_a_module_are_read_without_running_it(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(
        '"""First.\n\n    Second.\n    """\nTITLE = "a"\nAGAINST = (\n  "b "\n  "c")\nBOUND = "d"\n1 / 0\n'
    )

    assert run.words("odd", tmp_path) == run.Words("a", "b c", "First.\n\nSecond.", "d")


@pytest.mark.parametrize("text", ["", 'TITLE = "a"', 'TITLE = "a"\nAGAINST = f"{1}"', "TITLE ="])
def test_a_module_without_its_texts_fails(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.py").write_text(text)

    with pytest.raises(LocalError, match=r"benchmarks/figures/odd\.py"):
        run.words("odd", tmp_path)


def test_an_error_is_one_line_without_the_path_of_the_project() -> None:
    error = RuntimeError(f"cannot read {ROOT}/template.yaml\nand more")

    assert run.line_of(error) == "RuntimeError: cannot read template.yaml"
    assert run.line_of(LocalError("a port is needed")) == "a port is needed"
    assert run.line_of(AssertionError()) == "AssertionError"


def test_the_page_has_each_reading_and_the_texts_of_each_figure() -> None:
    first = record(Reading("of one", [1.2], goal=AT_MOST), Reading("beside", [7.0, 9.0], "KB"))
    text = page({"1": first, "12": record(title="Another")})

    assert "| of one | 1.2 times |  | ≤ 1.5 | met | 1 |" in text
    assert "| beside | 8 KB | 7 to 9 |  |  | 2 |" in text
    assert "## 1. A title\n\nMeasured against: a bare loop.\n\nHow it is measured.\n\n" in text
    assert "![CPU by size](benchmarks/1-by-size.svg)" in text
    assert "- the kernel's part" in text
    assert text.index("## 1. ") < text.index("## 12. Another")


def test_the_page_summarizes_the_readings_with_a_goal() -> None:
    text = page({"1": record(Reading("r", [2.0], goal=AT_MOST), Reading("s", [1.0], goal=AT_LEAST))})
    summary = text[text.index("## Summary") : text.index("## 1. ")]

    assert "| 1 | **A title** | a bare loop |" in summary
    assert "|  | r |  | 2 times |  | ≤ 1.5 | **missed** |" in summary
    assert "|  | s |  | 1 times |  | ≥ 0.8 | met |" in summary
    assert "benchmarks/summary.svg" in summary
    assert "| goals | 1 of 2 met |" in text


def test_the_bound_of_a_figure_is_shown_only_for_a_missed_goal() -> None:
    assert BOUND not in page({"1": record()})
    assert BOUND in page({"1": record(Reading("r", [2.0], goal=AT_MOST))})


def test_the_page_names_a_machine_that_differs_from_the_newest() -> None:
    other = record(commit="0000000+", machine={"processor": "another"}, date="2026-11-01 08:00 UTC")
    text = page({"1": other, "2": record()})

    assert "| machine | a processor, 2 cores |" in text
    assert "*2026-11-01 08:00 UTC, commit `0000000+`, `make bench`, 41 s on another*" in text
    assert "*2026-11-25 14:40 UTC, commit `1a22f9d`, `make bench`, 41 s*" in text


def test_scale_soak_and_profiles_follow_the_figures(tmp_path: Path) -> None:
    folder = tmp_path / "benchmarks"
    (folder / "profiles").mkdir(parents=True)
    for name in ("fanout-before", "fanout-after", "dispatcher-after", "api"):
        (folder / "profiles" / f"{name}.svg").touch()
    text = page({"1": record(), "scale": record(against="-")}, {"soak": record()}, folder)
    last = text[text.index("## Scale") :]

    assert "## Soak" in last
    assert "Measured against" not in last[: last.index("## Soak")]
    assert "| fanout | [![fanout-before](benchmarks/profiles/fanout-before.svg)]" in last
    assert "| dispatcher |  | [![dispatcher-after]" in last
    assert "| api |  | [![api](benchmarks/profiles/api.svg)]" in last
    assert str(tmp_path) not in text
    assert "## Soak" not in page({"1": record()})
    assert "## Profiles" not in page({"1": record()})


def test_a_bar_in_a_name_breaks_no_table() -> None:
    assert "| a \\| b | 1 times |" in page({"1": record(Reading("a | b", [1.0]))})
