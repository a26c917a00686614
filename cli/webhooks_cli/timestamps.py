"""Timestamps as people write and read them: a duration from now, a date, epoch seconds."""

import re
from datetime import datetime, timezone

from webhooks_cli.errors import WrongUseError

UNITS = {"m": 60, "h": 3600, "d": 86400}  # seconds
MILLISECONDS = re.compile(r"[0-9]{12,14}", re.ASCII)
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


def parse_past(text: str, now: float) -> int:
    """Return a time in epoch ms: 30m, 12h and 7d ago, a date, an ISO time, epoch seconds or milliseconds.

    Raises WrongUseError.
    """
    if found := DURATION.fullmatch(text):
        return int((now - int(found[1]) * UNITS[found[2]]) * 1000)
    if MILLISECONDS.fullmatch(text):
        return int(text)
    at = parse_time(text, now)
    if at is None:
        raise WrongUseError(
            f"a time is 30m, 12h or 7d ago, 2027-01-31, 2027-01-31T12:00:00Z, or epoch seconds; not {text}"
        )
    return at * 1000 + _milliseconds(text)


def _milliseconds(text: str) -> int:
    found = re.search(r"[.]([0-9]{1,3})", text)
    return int(found[1].ljust(3, "0")) if found else 0


def show_milliseconds(milliseconds: int) -> str:
    """Write epoch ms as ISO 8601 in UTC with ms, as the API takes it."""
    return f"{show_timestamp(milliseconds // 1000).removesuffix('Z')}.{milliseconds % 1000:03d}Z"


def show_age(seconds: float) -> str:
    """Write a span of time in its two largest units: 3d 4h, 12m 5s."""
    left = max(0, int(seconds))
    for unit, length, smaller, part in (("d", 86400, "h", 3600), ("h", 3600, "m", 60), ("m", 60, "s", 1)):
        if left >= length:
            return f"{left // length}{unit} {left % length // part}{smaller}"
    return f"{left}s"
