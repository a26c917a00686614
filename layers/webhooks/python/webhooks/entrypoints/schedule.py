"""The sweep as Lambda runs it on a schedule: its counts are the answer, and metrics."""

import logging
from typing import Any

from webhooks.entrypoints.invocation import Invocation
from webhooks.observability import METRICS, metrics
from webhooks.ports import Clock
from webhooks.services.sweep import Sweep

DIMENSIONS = (("service",),)

logger = logging.getLogger(METRICS)


class ScheduledSweep:
    """Runs a sweep within the invocation's time."""

    def __init__(self, sweep: Sweep, invocation: Invocation, *, clock: Clock) -> None:
        self._sweep = sweep
        self._invocation = invocation
        self._clock = clock

    def handle(self, _event: Any, context: object) -> dict[str, int]:
        """Sweep orphaned credentials; answers the counts."""
        self._invocation.begin(context)
        swept = self._sweep.run()
        values = {
            f"Credentials{name.capitalize()}": (float(count), "Count") for name, count in swept.counts.items()
        }
        values["SweepStopped"] = (float(swept.stopped is not None), "Count")
        logger.info("sweep.counted", extra=metrics(values, dimensions=DIMENSIONS, now=self._clock()))
        return swept.counts
