"""Containers of functions/recovery and functions/maintenance, over the stores that all share."""

from collections.abc import Sequence

from tests.simulation.deployment import Deployment
from tests.simulation.ports import port_of
from tests.simulation.queue_orders import Message
from webhooks.domain.lane import Lane
from webhooks.services.recovery.checks import WebhookChecks
from webhooks.services.recovery.disabling import Disabling
from webhooks.services.recovery.pages import ReplayPages
from webhooks.services.recovery.reading import PageReader
from webhooks.services.recovery.tasks import RecoveryTasks, TaskMessage
from webhooks.services.restarts import Restarts

PROBE_SECONDS = 30
RECOVERY_RATE = 50  # deliveries per second
CHECKS_SECONDS = 300  # between two runs of functions/maintenance, as the template says


class RecoveryContainer:
    """functions/recovery."""

    def __init__(self, deployment: Deployment) -> None:
        subscriptions = port_of(deployment, "subscriptions", deployment.subscriptions)
        health = port_of(deployment, "health", deployment.subscriptions)
        reader = port_of(deployment, "reader", deployment.log)
        log = port_of(deployment, "log", deployment.log)
        lane = port_of(deployment, "slow_lane", deployment.lanes)
        queue = port_of(deployment, "recovery", deployment.recovery_queue)
        replays = port_of(deployment, "replays", deployment.replays)
        disabling = Disabling(
            subscriptions=subscriptions,
            health=health,
            reader=reader,
            log=log,
            queue=queue,
            publisher=port_of(deployment, "publisher", deployment.publisher),
            clock=deployment.clock,
        )
        pages = ReplayPages(
            replays=replays,
            reader=PageReader(reader),
            log=log,
            lane=lane,
            queue=queue,
            subscriptions=subscriptions,
            health=health,
            clock=deployment.clock,
            probe_seconds=PROBE_SECONDS,
        )
        checks = WebhookChecks(
            subscriptions=subscriptions,
            health=health,
            log=reader,
            lane=lane,
            queue=queue,
            replays=replays,
            disabling=disabling,
            clock=deployment.clock,
            random_bytes=deployment.random.randbytes,
            probe_seconds=PROBE_SECONDS,
            rate=RECOVERY_RATE,
            disable_after_days=deployment.disable_after_days,
        )
        self._tasks = RecoveryTasks(page=pages.work, check=checks.work, dlq=queue)

    def handle(self, messages: Sequence[Message], _lane: Lane) -> set[str]:
        return self._tasks.work([TaskMessage(each.id, each.text, each.receives) for each in messages])


class MaintenanceContainer:
    """functions/maintenance: the task of its schedule that restarts what a crash stopped."""

    def __init__(self, deployment: Deployment) -> None:
        self._restarts = Restarts(
            health=port_of(deployment, "health", deployment.subscriptions),
            subscriptions=port_of(deployment, "subscriptions", deployment.subscriptions),
            queue=port_of(deployment, "recovery", deployment.recovery_queue),
            clock=deployment.clock,
            time_left=deployment.time_left,
        )

    def run(self) -> None:
        self._restarts.run()
