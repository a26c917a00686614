"""Log lines and metrics: Lambda's level names, and metrics at every level."""

import ast
import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.factories import InMemoryApp
from webhooks.logging import METRICS, ROOT, start_logging

ROOT_FOLDER = Path(__file__).parents[2]
LEVELS = ("DEBUG", "INFO", "WARN", "ERROR")  # the values of the parameter LogLevel


@pytest.fixture
def root_level() -> Iterator[Callable[[int | str], None]]:
    """Give the root logger a level, as Lambda does, and put the former one back."""
    root = logging.getLogger()
    before = root.level
    yield root.setLevel
    root.setLevel(before)


def written(level: str, log: Callable[[], object]) -> list[dict[str, Any]]:
    stream = io.StringIO()
    start_logging(service="test", level=level, stream=stream)
    log()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def log_at_every_level() -> None:
    logger = logging.getLogger(f"{ROOT}.services.anything")
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        logger.log(level, "line")


def test_levels_have_the_names_of_lambda() -> None:
    levels = [line["level"] for line in written("DEBUG", log_at_every_level)]

    assert levels == ["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_leaves_out_lower_lines(level: str) -> None:
    lines = written(level, log_at_every_level)

    assert [line["level"] for line in lines] == [*LEVELS[LEVELS.index(level) :], "FATAL"]


@pytest.mark.parametrize("level", LEVELS)
def test_metrics_are_written_at_every_level(level: str) -> None:
    [line] = written(level, lambda: logging.getLogger(METRICS).info("request.completed"))

    assert line["message"] == "request.completed"


@pytest.mark.parametrize("level", LEVELS)
def test_the_metrics_of_a_request_are_written_at_every_level(level: str) -> None:
    app = InMemoryApp()

    [line] = written(level, lambda: app.call("GET", "/nope", by=None))

    assert line["ClientErrors"] == 1
    assert line["_aws"]["CloudWatchMetrics"]


def test_botocore_logs_no_request_at_the_root_level_debug(
    root_level: Callable[[int | str], None],
) -> None:
    root_level("DEBUG")

    written("DEBUG", lambda: None)

    assert not logging.getLogger("botocore.endpoint").isEnabledFor(logging.DEBUG)
    assert not logging.getLogger("urllib3.connectionpool").isEnabledFor(logging.INFO)
    assert logging.getLogger("botocore.endpoint").isEnabledFor(logging.WARNING)


def logged_lines() -> dict[str, set[str]]:
    """Return the name of each line that the code logs, with its levels as Lambda names them."""
    levels = {"warning": "WARN", "exception": "ERROR"}
    lines: dict[str, set[str]] = {}
    for folder in ("layers/webhooks/python", "functions"):
        for path in (ROOT_FOLDER / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Call(
                        func=ast.Attribute(value=ast.Name("logger"), attr=method),
                        args=[ast.Constant(str(name)), *_],
                    ):
                        lines.setdefault(name, set()).add(levels.get(method, method.upper()))
    return lines


def test_the_documented_lines_are_those_of_the_code() -> None:
    page = (ROOT_FOLDER / "docs" / "deployment.md").read_text()
    rows = re.findall(r"^\| (`[a-z_]+\.[a-z_]+`.*?) \| (DEBUG|INFO|WARN|ERROR) \|", page, re.MULTILINE)
    documented = {name: {level} for names, level in rows for name in re.findall("`(.+?)`", names)}
    assert documented == logged_lines()
