"""The examples of docs/filters.md, run."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from webhooks.domain.matching import EventFields, matches
from webhooks.domain.webhook import Criteria, IndexEntry
from webhooks.entrypoints.api import limits

PAGE = (Path(__file__).parents[2] / "docs" / "filters.md").read_text()
EXAMPLE = re.compile(r"^```json\n(.*?)^```$|^\| `([^`\n]+)` \|([^\n]*)\|$", re.MULTILINE | re.DOTALL)


def examples() -> Iterator[tuple[str, str, Criteria, bool]]:
    """Yield (event, query, criteria, whether it matches); an event holds until the next one."""
    event = ""
    for found in EXAMPLE.finditer(PAGE):
        if found[1]:
            event = found[1]
            continue
        for criteria, result in zip(Criteria, found[3].split("|"), strict=False):
            yield event, found[2], criteria, {"yes": True, "no": False}[result.strip()]


def read(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


@pytest.mark.parametrize(("event", "query", "criteria", "expected"), list(examples()))
def test_an_example_holds(event: str, query: str, criteria: Criteria, expected: bool) -> None:
    asked = read(query)
    entry = IndexEntry("w", criteria, tuple(asked if isinstance(asked, list) else [asked]))

    assert matches(entry, EventFields(read(event))) is expected


def test_the_page_has_examples_of_every_kind() -> None:
    assert len(list(examples())) >= 70
    assert {expected for *_, expected in examples()} == {True, False}
    assert PAGE.count("| `") == len({(event, query) for event, query, *_ in examples()})


def test_the_limits_are_those_of_requests() -> None:
    said = PAGE.partition("## Limits")[2].replace(",", "")
    for limit in (
        limits.QUERY_OBJECTS,
        limits.QUERY_CONDITIONS,
        limits.QUERY_NODES,
        limits.QUERY_BYTES,
        limits.QUERY_DEPTH,
        limits.QUERY_FIELD_LENGTH,
    ):
        assert re.search(rf"\b{limit}\b", said)
