import pytest

from tests.unit.cli.command_line import NOW
from webhooks_cli.errors import WrongUseError
from webhooks_cli.timestamps import parse_past, parse_timestamp, show_age, show_milliseconds, show_timestamp


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("30m", NOW + 1800),
        ("12h", NOW + 43_200),
        ("90d", NOW + 7_776_000),
        ("1800000000", 1_800_000_000),
        ("2027-01-31", 1_801_353_600),
        ("2027-01-31T12:00:00Z", 1_801_396_800),
        ("2027-01-31T12:00:00+02:00", 1_801_389_600),
    ],
)
def test_a_timestamp_is_a_duration_a_date_or_a_time(text: str, at: int) -> None:
    assert parse_timestamp(text, NOW) == at


@pytest.mark.parametrize("text", ["", "soon", "90", "-1d", "1y", "2027-13-01", "٣d"])
def test_any_other_text_is_refused_with_the_right_forms(text: str) -> None:
    with pytest.raises(WrongUseError, match="--expires takes 90d"):
        parse_timestamp(text, NOW)


@pytest.mark.parametrize("text", ["0d", "2020-01-01", str(NOW)])
def test_a_license_cannot_expire_before_it_is_issued(text: str) -> None:
    with pytest.raises(WrongUseError, match="has passed"):
        parse_timestamp(text, NOW)


def test_timestamps_are_shown_in_utc() -> None:
    assert show_timestamp(1_801_396_800) == "2027-01-31T12:00:00Z"
    assert show_timestamp(10**20) == str(10**20)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("30m", (NOW - 1800) * 1000),
        ("7d", (NOW - 604_800) * 1000),
        ("1768469400", 1_768_469_400_000),
        ("1768469400123", 1_768_469_400_123),
        ("2026-01-15T09:30:00.25Z", 1_768_469_400_250),
        ("2026-01-15", 1_768_435_200_000),
    ],
)
def test_a_time_of_the_past_is_an_age_a_date_or_a_time(text: str, at: int) -> None:
    assert parse_past(text, NOW) == at


@pytest.mark.parametrize("text", ["", "soon", "1y", "-1h", "2026-13-01"])
def test_another_text_is_no_time_of_the_past(text: str) -> None:
    with pytest.raises(WrongUseError, match="a time is 30m"):
        parse_past(text, NOW)


def test_milliseconds_are_shown_as_the_api_has_them() -> None:
    assert show_milliseconds(1_768_469_400_007) == "2026-01-15T09:30:00.007Z"


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-1, "0s"), (59, "59s"), (61, "1m 1s"), (7200, "2h 0m"), (273_600, "3d 4h")]
)
def test_an_age_has_its_two_largest_units(seconds: int, shown: str) -> None:
    assert show_age(seconds) == shown
