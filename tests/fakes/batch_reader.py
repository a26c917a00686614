"""Webhooks and log together, over the fakes of both."""

from collections.abc import Mapping, Sequence

from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.faults import Fault, effect, no_fault
from tests.fakes.subscriptions import FakeSubscriptions
from webhooks.domain.delivery_log import LogKey
from webhooks.domain.log_looks import NOWHERE, Look
from webhooks.domain.scope import Scope
from webhooks.ports import BatchContext


class FakeBatchReader:
    """Reads both fakes."""

    def __init__(
        self, subscriptions: FakeSubscriptions, log: FakeDeliveryLog, *, fault: Fault = no_fault
    ) -> None:
        self._subscriptions = subscriptions
        self._log = log
        self._fault = fault

    def read(
        self,
        webhooks: Sequence[tuple[Scope, str]],
        log: Sequence[LogKey],
        *,
        consistent: bool = True,  # noqa: ARG002 - it always is
    ) -> BatchContext:
        """Return those webhooks, and those deliveries with an item of their own, that exist."""
        with effect(self._fault, "batch.read"):
            return BatchContext(self._subscriptions.get_many(webhooks), self._log.logged(log))

    def look(
        self, log: Sequence[LogKey], *, after: Mapping[LogKey, str] = NOWHERE, units: int
    ) -> BatchContext:
        """Return those of a webhook's deliveries that are in shared items."""
        with effect(self._fault, "batch.look"):
            look = Look(log, after)
            return BatchContext({}, self._log.look(look, units=units), looked_to=look.left())
