"""The cleanup as Lambda runs it on a schedule: its counts are the answer, and metrics."""

import logging
from typing import Any

from webhooks.entrypoints.invocation import Invocation
from webhooks.observability import METRICS, metrics
from webhooks.ports import Clock
from webhooks.services.orphan_cleanup import OrphanCleanup

DIMENSIONS = (("service",),)

logger = logging.getLogger(METRICS)


class ScheduledCleanup:
    """Runs a cleanup within the invocation's time."""

    def __init__(self, cleanup: OrphanCleanup, invocation: Invocation, *, clock: Clock) -> None:
        self._cleanup = cleanup
        self._invocation = invocation
        self._clock = clock

    def handle(self, _event: Any, context: object) -> dict[str, int]:
        """OrphanCleanup orphaned credentials; answers the counts."""
        self._invocation.begin(context)
        cleaned = self._cleanup.run()
        values = {
            f"Credentials{name.capitalize()}": (float(count), "Count")
            for name, count in cleaned.counts.items()
        }
        values["CleanupStopped"] = (float(cleaned.stopped is not None), "Count")
        logger.info("orphan_cleanup.counted", extra=metrics(values, dimensions=DIMENSIONS, now=self._clock()))
        return cleaned.counts
