"""Marks webhooks slow while their attempts are still in flight.

Later batches of the fast lane then leave their deliveries to the slow one.
"""

from collections.abc import Iterable
from concurrent.futures import Future

from webhooks.domain.delivery_log import LogKey
from webhooks.domain.webhook import Webhook
from webhooks.ports import Background, Clock, Conversation
from webhooks.services.dispatch.attempt import Attempts
from webhooks.services.dispatch.health_keeper import HealthKeeper
from webhooks.services.dispatch.stages import Attempted, Failed, Signed


class InFlight:
    """The attempts of one batch. `background`: the thread that settles, as a mark is a call of AWS."""

    def __init__(
        self, attempts: Attempts, keeper: HealthKeeper, background: Background, *, monotonic: Clock
    ) -> None:
        self._attempts = attempts
        self._keeper = keeper
        self._background = background
        self._monotonic = monotonic
        self._out: dict[LogKey, tuple[float, Webhook]] = {}
        self._marks: dict[str, Future[Webhook]] = {}

    def lead(self, signed: Signed) -> Conversation[Attempted | Failed]:
        """Make an attempt, and note when it begins."""
        self._out[signed.prepared.decoded.key] = self._monotonic(), signed.prepared.webhook
        return (yield from self._attempts.attempt(signed))

    def look(self, ended: Iterable[Attempted | Failed]) -> None:
        """Mark webhooks whose attempts take long; to be called every PAUSE, with those that ended."""
        for each in ended:
            decoded = each.decoded if isinstance(each, Failed) else each.signed.prepared.decoded
            self._out.pop(decoded.key, None)
        late = self._monotonic() - self._keeper.slow_from
        for began, webhook in self._out.values():
            if began <= late and webhook.id not in self._marks and webhook.health.slow_since is None:
                self._marks[webhook.id] = self._background.submit(self._keeper.mark_slow, webhook)

    def marked(self) -> dict[str, Webhook]:
        """Wait for the marks; return the webhooks as they are then."""
        return {webhook_id: mark.result() for webhook_id, mark in self._marks.items()}
