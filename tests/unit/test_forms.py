"""Forms that releases hand to each other: today's reader reads each fixture, and today's writer writes the newest.

A fixture never changes and never goes. A change of a form needs a new version (domain/forms.py), and a fixture of it.
"""

import json
import re
from pathlib import Path

import pytest

from tests.forms import CASES, FOLDER, Case, uncompressed
from webhooks.domain import forms
from webhooks.domain.errors import CorruptError, NewerFormError, UnavailableError

PAGE = Path(__file__).parents[2] / "docs" / "releases.md"
NEWEST = [each for each in CASES if each.write]
FORMS = [each for each in vars(forms).values() if isinstance(each, forms.Form)]


def named(case: Case) -> str:
    return case.path.name


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_form_is_read_in_every_version_that_was_ever_written(case: Case) -> None:
    assert case.read(case.fixture()) == case.value


@pytest.mark.parametrize("case", NEWEST, ids=named)
def test_what_is_written_now_is_the_newest_fixture_byte_for_byte(case: Case) -> None:
    assert case.write is not None
    assert uncompressed(case.write()) == uncompressed(case.fixture())
    assert case.version == case.form.newest or case.still_written


@pytest.mark.parametrize("case", NEWEST, ids=named)
def test_a_newer_version_is_refused_as_an_outage(case: Case) -> None:
    with pytest.raises(NewerFormError) as raised:
        case.read(case.newer())

    assert isinstance(raised.value, UnavailableError | CorruptError)
    assert str(case.form.newest + 1) in str(raised.value)
    assert case.form.name in str(raised.value)


# Fields of an index begin with version 2: an older release must not take their item for an entry.
@pytest.mark.parametrize("case", [each for each in NEWEST if each.form is not forms.INDEX_FIELDS], ids=named)
def test_a_first_version_costs_no_byte(case: Case) -> None:
    found = case.fixture()
    head = json.loads(found.split("\n")[0]) if isinstance(found, str) and found.startswith("{") else found
    assert case.version > 1 or isinstance(head, str) or forms.VERSION not in head


def test_every_form_has_an_example_and_every_fixture_is_read() -> None:
    assert {each.form for each in CASES} == set(FORMS)
    assert {each.path for each in CASES} == set(FOLDER.iterdir())
    assert {each.form for each in NEWEST} == set(FORMS)


def test_the_page_of_releases_names_each_form_with_its_version() -> None:
    rows = dict(re.findall(r"^\| ([^|]+?) \| (\d+) \|", PAGE.read_text(), re.MULTILINE))
    assert {name: int(version) for name, version in rows.items()} == {
        each.name: each.newest for each in FORMS
    }


@pytest.mark.parametrize("version", [0, -1, True, "1", 1.0, None])
def test_what_is_no_version_is_refused_as_unreadable(version: object) -> None:
    with pytest.raises(ValueError, match="version"):
        forms.PACK.require_known(version)
