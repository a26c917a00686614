"""The order in which a batch is settled, and the time that its last part may take."""

import math
from dataclasses import replace

import pytest

from tests.clocks import Clock
from tests.factories import SCOPE, InMemoryApp
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.endpoint import http_response
from tests.fakes.queues import FakeDeliveryQueue, FakeEventPublisher, FakeRecoveryQueue
from tests.fakes.subscriptions import FakeSubscriptions
from tests.random_bytes import DistinctBytes
from webhooks.domain.delivery import Attempt, Delivery, Pack, without_details
from webhooks.domain.delivery_log import Logged, Outcome, log_key
from webhooks.domain.retry import DeadLettered
from webhooks.services.dispatch.gone_endpoints import DISABLING_SECONDS, GoneEndpoints
from webhooks.services.dispatch.settlement import Settlement
from webhooks.services.dispatch.stages import Decided, Decoded, DeliveryMessage

DELIVERY = Delivery(id="d", event_id="e", event_name="E_LOGIN", log_time=0, body="{}")


class EndedError(BaseException):
    """The process ends."""


class Ends(FakeSubscriptions):
    """A store whose changes end the process."""

    def __init__(self) -> None:
        super().__init__(clock=Clock(), random_bytes=DistinctBytes())

    def change(self, *_args: object, **_named: object) -> None:
        raise EndedError


def gone(app: InMemoryApp) -> Decided:
    """Return a delivery whose endpoint answered 410."""
    app.create()
    [webhook] = app.subscriptions.page(SCOPE, index=0, size=1, tags=()).webhooks
    pack = Pack(webhook.id, SCOPE, (DELIVERY,))
    decoded = Decoded(DeliveryMessage("m", ""), pack, DELIVERY, log_key(webhook.id, DELIVERY))
    return Decided(decoded, webhook, http_response(410), DeadLettered("endpoint gone (HTTP 410)", gone=True))


def gone_endpoints(subscriptions: FakeSubscriptions, left: float = math.inf) -> GoneEndpoints:
    return GoneEndpoints(
        subscriptions,
        recovery=FakeRecoveryQueue(),
        publisher=FakeEventPublisher(),
        clock=lambda: 1.0,
        time_left=lambda: left,
    )


def test_deliveries_are_in_the_log_before_a_webhook_is_disabled() -> None:
    log = FakeDeliveryLog()
    settlement = Settlement(queue=FakeDeliveryQueue(), log=log, clock=lambda: 1.0)

    stage = gone(InMemoryApp())

    assert settlement.settle([stage]).again == set()
    with pytest.raises(EndedError):
        gone_endpoints(Ends()).disable([stage])

    assert [entry.delivery.id for entry in log.entries()] == ["d"]


@pytest.mark.parametrize(("left", "enabled"), [(DISABLING_SECONDS, False), (DISABLING_SECONDS - 0.1, True)])
def test_a_webhook_is_disabled_only_while_there_is_time(left: float, enabled: bool) -> None:
    app, log = InMemoryApp(), FakeDeliveryLog()
    settlement = Settlement(queue=FakeDeliveryQueue(), log=log, clock=lambda: 1.0)
    stage = gone(app)

    assert settlement.settle([stage]).again == set()
    gone_endpoints(app.subscriptions, left).disable([stage])

    stored = app.subscriptions.get(SCOPE, stage.webhook.id)
    assert stored is not None
    assert stored.enabled is enabled
    assert len(log.entries()) == 1


def test_a_retrys_line_has_what_the_log_knew_of_earlier_attempts() -> None:
    log = FakeDeliveryLog()
    settlement = Settlement(queue=FakeDeliveryQueue(), log=log, clock=lambda: 1.0)
    stage = gone(InMemoryApp())
    first, last = Attempt(1, 5, 503, excerpt="busy"), Attempt(2, 5, 410, excerpt="gone")
    delivery = replace(DELIVERY, attempts=(without_details(first), last))
    known = Logged(Outcome.RETRYING, (first,), 1)
    decided = replace(stage, decoded=replace(stage.decoded, delivery=delivery, known=known))

    assert settlement.settle([decided]).again == set()
    [entry] = log.entries()
    assert entry.delivery.attempts == (first, last)
