"""Times as RFC 3339 and ISO 8601 write them, and as numbers since the epoch."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

# A minute's 61st second (RFC 3339, 5.7), which no clock of a computer has.
_LEAP: Final = re.compile(r"(?<=[T ])(\d\d:?\d\d:?)60([.,]\d+)?(?=[Z+-]|$)", re.ASCII)
# The end of a day (ISO 8601-1, 5.3.2), which Python reads from 3.14 on.
_END_OF_DAY: Final = re.compile(r"(?<=[T ])24(?=(:?00){0,2}([.,]0+)?([Z+-]|$))", re.ASCII)

# From this on a number of seconds would be in the year 5138: it counts milliseconds.
_MILLISECONDS_FROM: Final = 100_000_000_000


def seconds_of(number: float) -> float:
    """Return epoch seconds, of a number of them or of milliseconds."""
    return number / 1000 if abs(number) >= _MILLISECONDS_FROM else number


def epoch_seconds(text: str) -> float | None:
    """Return a time as epoch seconds, in UTC where it names no offset; None for any other text.

    A leap second is the last millisecond before its end.
    """
    written = _LEAP.sub(r"\g<1>59.999", text.upper())
    written, days = _END_OF_DAY.subn("00", written)
    try:
        read = datetime.fromisoformat(written)
        aware = read if read.tzinfo else read.replace(tzinfo=UTC)
        return (aware + timedelta(days=days)).timestamp()
    except (ValueError, OverflowError):
        return None
