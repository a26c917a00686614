import pytest

from tests.unit.cli.command_line import NOW
from webhooks_cli.errors import WrongUseError
from webhooks_cli.timestamps import parse_timestamp, show_timestamp


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
