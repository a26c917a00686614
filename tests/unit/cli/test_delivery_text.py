"""Bars of phases and progress, drawn to scale."""

import io

from tests.unit.cli.command_line import Terminal
from webhooks_cli.delivery_text import BAR_WIDTH, bar_of, phase_lines
from webhooks_cli.progress_bar import ProgressBar


def drawn(times: dict[str, int], *, longest: int = 0) -> list[str]:
    return [line[13 : 13 + BAR_WIDTH] for line in phase_lines(times, bar="#", longest=longest)]


def test_a_phase_begins_where_the_one_before_ended() -> None:
    bars = drawn({"lookupMs": 10, "connectMs": 20, "tlsMs": 30, "firstByteMs": 35, "totalMs": 40})
    assert [len(bar.rstrip()) for bar in bars] == [10, 20, 30, 35, 40]
    assert [bar.count("#") for bar in bars] == [10, 10, 10, 5, 5]


def test_a_phase_that_there_was_not_has_no_line() -> None:
    lines = list(phase_lines({"firstByteMs": 5, "totalMs": 5}, bar="", longest=0))
    assert [line.split() for line in lines] == [["first", "byte", "5", "ms"], ["rest", "0", "ms"]]
    assert list(phase_lines(None, bar="#", longest=0)) == []


def test_the_attempts_of_a_delivery_have_one_scale() -> None:
    assert [bar.count("#") for bar in drawn({"lookupMs": 10}, longest=400)] == [1]
    assert [bar.count("#") for bar in drawn({"lookupMs": 400}, longest=400)] == [BAR_WIDTH]


def test_bars_are_for_terminals_in_characters_that_it_has() -> None:
    class Ascii(Terminal):
        encoding = "ascii"

    assert (bar_of(io.StringIO()), bar_of(Terminal()), bar_of(Ascii())) == ("", "█", "#")


def test_a_progress_bar_leaves_an_empty_line() -> None:
    stderr = Terminal()
    with ProgressBar(stderr, "deliveries") as bar:
        bar.show(5, 10)
        bar.show(7, None)
        text = stderr.getvalue()
    assert "5 of 10 deliveries" in text
    assert "7 deliveries" in text
    assert stderr.getvalue().endswith("\r")
    quiet = io.StringIO()
    with ProgressBar(quiet, "deliveries") as bar:
        bar.show(5, 10)
    assert quiet.getvalue() == ""
