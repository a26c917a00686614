"""Replays and recoveries with the dispatcher itself behind the slow lane."""

from collections import Counter
from itertools import count
from typing import Any

import pytest

from tests.factories import InMemoryApp
from tests.fakes.background import AtOnce
from tests.fakes.endpoint import OneByOne, ScriptedEndpoint, ScriptedTokens, http_response
from tests.functions import make_dispatcher
from tests.recovery_functions import BEGAN, SCOPE, RecoveryFunctions
from tests.unit.recovery.replays_begun import begin_replay, counts
from webhooks.domain.delivery import Delivery, Pack, delivery_id
from webhooks.domain.delivery_log import Mark, Outcome
from webhooks.domain.health import Health, State
from webhooks.domain.http import HttpRequest, HttpResponse
from webhooks.domain.lane import Lane
from webhooks.domain.replay import ReplayState, WebhookCheck
from webhooks.domain.webhook import Endpoint, Webhook
from webhooks.services.dispatch.stages import DeliveryMessage

URL = "https://hooks.example.com/in"


class DispatchedFunctions(RecoveryFunctions):
    """A functions whose slow lane the dispatcher reads. `status`: the endpoint's response."""

    def __init__(self, *, keep_all_payloads: bool = False) -> None:
        super().__init__(keep_all_payloads=keep_all_payloads)
        self.status = 200
        self.took: list[str] = []  # deliveries with a success, in their order
        self.app = InMemoryApp(subscriptions=self.subscriptions)
        self.app.recovery = self.queue
        self.endpoint = ScriptedEndpoint()
        self.endpoint.script(URL, self.answer)
        self._messages = count(1)

    def answer(self, request: HttpRequest) -> HttpResponse:
        if self.status == 200:
            self.took.append(request.headers["webhook-id"])
        return http_response(self.status)

    def plain_webhook(self, health: Health | None = None, **changes: Any) -> Webhook:
        plain = {"endpoint": Endpoint(URL), "retry_count": 1, "retry_codes": (), "success_codes": (200,)}
        return self.webhook(health, **(plain | changes))

    def dispatch(self) -> None:
        """Dispatch all that is in the slow lane, with the retries that follow."""
        self.faults.is_on = False
        while taken := self.lane.slow.take_all():
            messages = [DeliveryMessage(f"d{next(self._messages)}", each.text) for each in taken]
            dispatcher = make_dispatcher(
                self.app,
                self.lane,
                self.log,
                http=OneByOne(self.endpoint),
                tokens=ScriptedTokens(),
                workers=AtOnce(),
                clock=lambda: self.clock.now + 0.5,
                monotonic=self.clock,
            )
            assert set(dispatcher.dispatch(messages, Lane.SLOW)) == set()
        self.faults.is_on = True

    def arrive(self, webhook: Webhook, number: int) -> str:
        """Let a new delivery arrive, and dispatch it; return its id."""
        log_time = BEGAN + number
        id_ = delivery_id(f"e{number}", webhook.id, log_time=log_time)
        delivery = Delivery(id_, f"e{number}", "order.paid", log_time, "{}")
        assert not self.lane.send_slow([(Pack(webhook.id, SCOPE, (delivery,)), 0)])
        self.dispatch()
        return id_

    def requests(self) -> Counter[str]:
        return Counter(request.headers["webhook-id"] for request in self.endpoint.requests(URL))


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("outcome", [Outcome.DEAD, Outcome.HELD, Outcome.DELIVERED])
def test_a_kill_at_any_effect_of_a_page_costs_no_attempt(status: int, outcome: Outcome) -> None:
    # A held delivery that fails is tried again, as a new one; one with an attempt has had its retry.
    attempts = 2 if status == 500 else 1
    amount = 4 if status == 500 else 15  # so few failures that the endpoint does not count as down
    for position in range(9):
        functions = DispatchedFunctions(keep_all_payloads=outcome is Outcome.DELIVERED)
        webhook = functions.plain_webhook(recover=False)
        ids = functions.fill(webhook, amount, outcome)
        begin_replay(functions, webhook, query={"outcome": outcome}, rate=1)
        functions.status = status
        functions.faults.at(position)
        functions.run()
        assert functions.requests() == dict.fromkeys(ids, attempts), position
        assert counts(functions) == (ReplayState.DONE, amount, amount, 0, 0), position
        after = {entry.outcome for entry in functions.log.entries()}
        assert after == {Outcome.DELIVERED if status == 200 else Outcome.DEAD}
        assert {entry.mark for entry in functions.log.entries()} == {Mark.REPLAY}


@pytest.mark.parametrize("position", range(0, 40, 3))
def test_a_recovery_delivers_the_backlog_once_and_in_order(position: int) -> None:
    functions = DispatchedFunctions()
    webhook = functions.plain_webhook(Health(backlog_since=functions.now))
    ids = [
        *functions.fill(webhook, 60, Outcome.DEAD, is_recoverable=True),
        *functions.fill(webhook, 60, Outcome.HELD, first=60),
    ]
    functions.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    functions.faults.at(position)
    functions.run()
    sent = [request.headers["webhook-id"] for request in functions.endpoint.requests(URL)]
    assert sent == ids
    assert functions.outcomes() == {Outcome.DELIVERED: 120}
    assert functions.stored(webhook).health.backlog_since is None


@pytest.mark.parametrize("position", [None, *range(0, 24, 2)])
def test_an_outage_of_hours_costs_no_delivery(position: int | None) -> None:
    functions = DispatchedFunctions()
    webhook = functions.plain_webhook()
    functions.status = 503
    began = functions.clock.now
    ids = []
    for number in range(25):
        ids.append(functions.arrive(webhook, number))
        functions.clock.now = began + 10 * number
    held = [entry for entry in functions.log.entries() if entry.outcome is Outcome.HELD]
    assert {entry.delivery.tries for entry in held[1:]} == {0}  # the first waited for its retry
    assert 5 <= len(held) < 25
    assert functions.stored(webhook).states == (State.HELD, State.FAILING)
    while functions.clock.now < began + 3 * 3600:
        assert functions.step()
        functions.dispatch()
    assert functions.took == []
    functions.status = 200
    functions.faults.at(position)
    functions.run()
    assert sorted(functions.took) == sorted(ids)
    assert functions.took[1:] == sorted(
        functions.took[1:]
    )  # after the probe, which is the oldest or the second
    assert functions.outcomes() == {Outcome.DELIVERED: 25}
    stored = functions.stored(webhook)
    assert (stored.states, stored.health.backlog_since) == ((State.HEALTHY,), None)


def test_deliveries_that_fail_again_are_dead_for_good_and_cost_the_others_nothing() -> None:
    functions = DispatchedFunctions()
    webhook = functions.plain_webhook(Health(backlog_since=functions.now))
    ids = functions.fill(webhook, 10, is_recoverable=True)
    poison = ids[4]
    functions.endpoint.script(
        URL, lambda request: http_response(500 if request.headers["webhook-id"] == poison else 200)
    )
    functions.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    functions.run()
    assert functions.outcomes() == {Outcome.DELIVERED: 9, Outcome.DEAD: 1}
    [dead] = [entry for entry in functions.log.entries() if entry.outcome is Outcome.DEAD]
    assert (dead.delivery.id, dead.is_recoverable) == (poison, False)
    assert functions.stored(webhook).health.backlog_since is None
