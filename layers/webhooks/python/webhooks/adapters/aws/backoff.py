"""Waits between the tries of a call."""

import random
import time
from collections.abc import Callable

from webhooks.domain.values import value_type
from webhooks.ports import Rng


@value_type(frozen=True, slots=True)
class Backoff:
    """Waits a random part of a time that doubles with each try, from `first` to `longest` seconds."""

    first: float = 0.02
    longest: float = 0.8
    rng: Rng = random.random
    sleep: Callable[[float], None] = time.sleep

    def wait(self, tries: int) -> None:
        self.sleep(self.rng() * min(self.longest, self.first * 2**tries))
