"""The style of a chart's lines, and the sentence in place of a chart that shows one value."""

from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.chart_lines import COLOURS, WIDTH, styled
from benchmarks.figure import Chart
from benchmarks.report import Record

KEPT = Path(__file__).parents[2] / "docs" / "benchmarks"
RECORDS = report.load(KEPT / report.FIGURES) | report.load(KEPT / report.SOAK)
CHARTS = [
    pytest.param(chart, id=report.chart_file(key, chart))
    for key, record in RECORDS.items()
    for chart in record.measured.charts
]


def line(*ys: int) -> list[tuple[int, int]]:
    return list(enumerate(ys, start=1))


def test_lines_of_the_same_values_are_one_with_all_their_names() -> None:
    drawn = styled({"one": line(1, 2), "two": line(1, 3), "three": line(1, 2)})

    assert [(each.label, list(each.points)) for each in drawn] == [
        ("one\nthree (the same)", line(1, 2)),
        ("two", line(1, 3)),
    ]


def test_a_line_behind_another_is_wider() -> None:
    behind, front, apart = styled(
        {"behind": line(100, 200), "front": line(101, 199), "apart": line(500, 900)}
    )

    assert behind.width > front.width == apart.width == WIDTH


def test_lines_of_many_points_have_their_markers_at_different_points() -> None:
    drawn = styled({name: line(*range(number, number + 200)) for number, name in enumerate("abc")})

    assert len({each.marks[0] for each in drawn}) == 3
    assert len({each.marks[1] for each in drawn}) == 1


def test_a_single_line_of_many_points_has_no_markers() -> None:
    (alone,) = styled({"alone": line(*range(200))})

    assert alone.marker == ""


def test_more_lines_than_colours_are_still_distinguishable() -> None:
    drawn = styled({str(number): line(number) for number in range(3 * len(COLOURS))})

    assert len({(each.colour, each.marker) for each in drawn}) == len(drawn)


@pytest.mark.parametrize("chart", CHARTS)
def test_a_stored_chart_has_a_colour_and_a_marker_for_each_line(chart: Chart) -> None:
    drawn = styled(chart.lines)

    assert len({each.colour for each in drawn}) == len({each.marker for each in drawn}) == len(drawn)


@pytest.mark.parametrize("chart", CHARTS)
def test_a_stored_chart_names_its_axes_in_words(chart: Chart) -> None:
    assert chart.x not in {"s", "ms", "minute"}
    assert chart.y not in {"s", "ms", "MiB"}


def test_a_chart_of_one_value_is_a_sentence() -> None:
    chart = Chart("threads", "Threads of each process", "minute", "threads", {"a": line(1, 1), "b": line(1)})
    changing = Chart("files", "Files", "minute", "files", {"a": line(1, 2)})

    assert (
        report.chart_text("soak", chart, "images")
        == "Threads of each process: 1 in all of them, all the time."
    )
    assert report.chart_text("soak", changing, "images") == "![Files](images/soak-files.svg)"


def test_each_stored_chart_of_several_values_has_a_file() -> None:
    drawn = {
        report.chart_file(key, chart)
        for key, record in RECORDS.items()
        for chart in record.measured.charts
        if chart.constant is None
    }
    assert {path.name for path in KEPT.glob("*.svg")} == drawn | {report.SUMMARY}
    assert isinstance(RECORDS["soak"], Record)
