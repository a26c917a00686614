"""The running invocation, and the time that Lambda's context leaves it."""

import math
import time
from typing import Any

from webhooks.ports import Clock


class Invocation:
    """The running invocation's time. `monotonic`: seconds of a clock that is never set."""

    def __init__(self, *, monotonic: Clock = time.monotonic) -> None:
        self._monotonic = monotonic
        self._until = math.inf

    def begin(self, context: Any) -> None:
        """Take the time from Lambda's context; a call without one, as in a test, has no end."""
        remaining = getattr(context, "get_remaining_time_in_millis", None)
        self._until = math.inf if remaining is None else self._monotonic() + remaining() / 1000

    def left(self) -> float:
        """Return the seconds left; infinite before the first invocation."""
        return self._until - self._monotonic()
