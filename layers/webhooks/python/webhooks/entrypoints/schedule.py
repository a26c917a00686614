"""The orphan cleanup and the restarts as Lambda runs them on schedules, with their counts as metrics."""

import logging
from collections.abc import Callable
from typing import Any

from webhooks.domain.errors import UnavailableError
from webhooks.domain.health import State
from webhooks.entrypoints.invocation import Invocation
from webhooks.logging import METRICS
from webhooks.metrics import metrics
from webhooks.services.orphan_cleanup import OrphanCleanup
from webhooks.services.restarts import Restarted, Restarts

CHECKS = {"task": "checks"}  # the input of the schedule that restarts

logger = logging.getLogger(METRICS)


class ScheduledCleanup:
    """Runs an orphan cleanup within the invocation's time."""

    def __init__(self, cleanup: OrphanCleanup, invocation: Invocation) -> None:
        self._cleanup = cleanup
        self._invocation = invocation

    def handle(self, _event: Any, context: object) -> dict[str, int]:
        """Run the cleanup; returns its counts."""
        self._invocation.begin(context)
        result = self._cleanup.run()
        values = {f"Credentials{name.capitalize()}": count for name, count in result.counts.items()}
        values["CleanupStopped"] = int(result.stopped is not None)
        logger.info("orphan_cleanup.counted", extra=metrics(values))
        return result.counts


class ScheduledChecks:
    """Runs the restarts within the invocation's time. `count_tenants` may raise UnavailableError."""

    def __init__(
        self, restarts: Restarts, invocation: Invocation, *, count_tenants: Callable[[], int]
    ) -> None:
        self._restarts = restarts
        self._invocation = invocation
        self._count_tenants = count_tenants

    def handle(self, _event: Any, context: object) -> dict[str, int]:
        """Run the restarts; returns their counts."""
        self._invocation.begin(context)
        result = self._restarts.run()
        values = {
            "WebhooksUnhealthy": result.webhooks,
            "ChecksSent": result.sent,
            "ChecksStopped": int(not result.is_whole),
            **(self._gauges(result) if result.is_whole else {}),
        }
        logger.info("checks.counted", extra=metrics(values))
        return {"webhooks": result.webhooks, "sent": result.sent}

    def _gauges(self, result: Restarted) -> dict[str, int]:
        """Return the numbers that only a whole look knows; they are written as 0 too."""
        unhealthy = result.unhealthy
        gauges = {
            "WebhooksSlow": unhealthy.states[State.SLOW],
            "WebhooksFailing": unhealthy.states[State.FAILING],
            "WebhooksHeld": unhealthy.states[State.HELD],
            "WebhooksDisabled": unhealthy.states[State.DISABLED],
            "TenantsHeld": len(unhealthy.tenants_held),
        }
        try:
            return {**gauges, "Tenants": self._count_tenants()}
        except UnavailableError as error:
            logger.warning("tenants.not_counted", extra={"reason": str(error)})
            return gauges


class Schedule:
    """Runs the task that an event names: the restarts, else the cleanup."""

    def __init__(self, *, cleanup: ScheduledCleanup, checks: ScheduledChecks) -> None:
        self._cleanup = cleanup
        self._checks = checks

    def handle(self, event: Any, context: object) -> dict[str, int]:
        """Run the task; returns its counts."""
        return (self._checks if event == CHECKS else self._cleanup).handle(event, context)
