"""Timestamps as people write and read them: a duration from now, a date, epoch seconds."""

import re
from datetime import datetime, timezone

from webhooks_cli.errors import WrongUseError

UNITS = {"m": 60, "h": 3600, "d": 86400}  # seconds
DURATION = re.compile(r"([0-9]{1,9})([mhd])", re.ASCII)
EPOCH = re.compile(r"[0-9]{9,11}", re.ASCII)


def parse_timestamp(text: str, now: float) -> int:
    """Return a time to come in epoch seconds, from 90d, 12h, 30m, 2027-01-31, an ISO time or epoch seconds.

    Raises WrongUseError.
    """
    at = parse_time(text, now)
    if at is None:
        raise WrongUseError(
            f"--expires takes 90d, 12h, 30m, 2027-01-31, 2027-01-31T12:00:00Z or epoch seconds; not {text}"
        )
    if at <= now:
        raise WrongUseError(f"--expires: {text} has passed")
    return at


def parse_time(text: str, now: float) -> int | None:
    if found := DURATION.fullmatch(text):
        return int(now) + int(found[1]) * UNITS[found[2]]
    if EPOCH.fullmatch(text):
        return int(text)
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))  # Python 3.10 reads no Z
        return int((at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp())
    except (ValueError, OverflowError):
        return None


def show_timestamp(seconds: int) -> str:
    """Write epoch seconds as ISO 8601 in UTC; the number itself beyond the range of dates."""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(seconds)
