"""The slots of limited senders, in memory."""

from threading import RLock

from tests.fakes.faults import Fault, effect, no_fault


class FakeRateLimiter:
    """One time per name. `calls`: the names of all calls, in their order.

    `unlimited`: names that begin so are never refused.
    """

    def __init__(self, *, fault: Fault = no_fault) -> None:
        self._fault = fault
        self._lock = RLock()
        self._free_at: dict[str, float] = {}
        self.calls: list[str] = []
        self.unlimited: tuple[str, ...] = ()

    def reserve(self, name: str, count: int, *, rate: float, now: int) -> int:
        """Reserve slots; return the time of the first, epoch ms."""
        with self._lock, effect(self._fault, "limiter.reserve"):
            self.calls.append(name)
            first = max(float(now), self._free_at.get(name, 0))
            self._free_at[name] = first + count * 1000 / rate
            return round(first)

    def take(self, name: str, *, rate: float, now: int, count: int = 1, burst: int = 1) -> bool:
        """Take slots if a bucket of `burst` has them now; tell whether it had."""
        with self._lock, effect(self._fault, "limiter.take"):
            self.calls.append(name)
            if name.startswith(self.unlimited):
                return True
            free_at = self._free_at.get(name, 0)
            if count > burst or free_at > now + (burst - count) * 1000 / rate:
                return False
            self._free_at[name] = max(float(now), free_at) + count * 1000 / rate
            return True
