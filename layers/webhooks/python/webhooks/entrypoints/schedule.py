"""The orphan cleanup as Lambda runs it on a schedule, with its counts as metrics."""

import logging
from typing import Any

from webhooks.entrypoints.invocation import Invocation
from webhooks.logging import METRICS, metrics
from webhooks.ports import Clock
from webhooks.services.orphan_cleanup import OrphanCleanup

DIMENSIONS = (("service",),)

logger = logging.getLogger(METRICS)


class ScheduledCleanup:
    """Runs an orphan cleanup within the invocation's time."""

    def __init__(self, cleanup: OrphanCleanup, invocation: Invocation, *, clock: Clock) -> None:
        self._cleanup = cleanup
        self._invocation = invocation
        self._clock = clock

    def handle(self, _event: Any, context: object) -> dict[str, int]:
        """Run the cleanup; returns its counts."""
        self._invocation.begin(context)
        result = self._cleanup.run()
        values = {
            f"Credentials{name.capitalize()}": (float(count), "Count")
            for name, count in result.counts.items()
        }
        values["CleanupStopped"] = (float(result.stopped is not None), "Count")
        logger.info("orphan_cleanup.counted", extra=metrics(values, dimensions=DIMENSIONS, now=self._clock()))
        return result.counts
