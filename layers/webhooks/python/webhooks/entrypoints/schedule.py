"""The orphan cleanup and the restarts as Lambda runs them on schedules, with their counts as metrics."""

import logging
from typing import Any

from webhooks.entrypoints.invocation import Invocation
from webhooks.logging import METRICS, metrics
from webhooks.ports import Clock
from webhooks.services.orphan_cleanup import OrphanCleanup
from webhooks.services.restarts import Restarts

DIMENSIONS = (("service",),)
CHECKS = {"task": "checks"}  # the input of the schedule that restarts

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


class ScheduledChecks:
    """Runs the restarts within the invocation's time."""

    def __init__(self, restarts: Restarts, invocation: Invocation, *, clock: Clock) -> None:
        self._restarts = restarts
        self._invocation = invocation
        self._clock = clock

    def handle(self, _event: Any, context: object) -> dict[str, int]:
        """Run the restarts; returns their counts."""
        self._invocation.begin(context)
        result = self._restarts.run()
        values = {
            "WebhooksUnhealthy": (float(result.webhooks), "Count"),
            "ChecksSent": (float(result.sent), "Count"),
            "ChecksStopped": (float(not result.is_whole), "Count"),
        }
        logger.info("checks.counted", extra=metrics(values, dimensions=DIMENSIONS, now=self._clock()))
        return {"webhooks": result.webhooks, "sent": result.sent}


class Schedule:
    """Runs the task that an event names: the restarts, else the cleanup."""

    def __init__(self, *, cleanup: ScheduledCleanup, checks: ScheduledChecks) -> None:
        self._cleanup = cleanup
        self._checks = checks

    def handle(self, event: Any, context: object) -> dict[str, int]:
        """Run the task; returns its counts."""
        return (self._checks if event == CHECKS else self._cleanup).handle(event, context)
