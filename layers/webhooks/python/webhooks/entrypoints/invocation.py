"""The running invocation: how long it may still run, as Lambda's context says."""

import math
import time
from typing import Any

from webhooks.ports import Clock


class Invocation:
    """Knows when Lambda ends the running invocation. `monotonic`: seconds of a clock that is never set."""

    def __init__(self, *, monotonic: Clock = time.monotonic) -> None:
        self._monotonic = monotonic
        self._until = math.inf

    def begin(self, context: Any) -> None:
        """Take the time from Lambda's context; without one (in a test) there is no end."""
        remaining = getattr(context, "get_remaining_time_in_millis", None)
        self._until = math.inf if remaining is None else self._monotonic() + remaining() / 1000

    def left(self) -> float:
        """Return the seconds that are left; infinite before the first invocation."""
        return self._until - self._monotonic()
