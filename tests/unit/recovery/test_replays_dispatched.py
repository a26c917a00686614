"""Replays and recoveries with the dispatcher itself behind the slow lane."""

from collections import Counter
from itertools import count

import pytest

from tests.factories import InMemoryApp
from tests.fakes.background import AtOnce
from tests.fakes.endpoint import OneByOne, ScriptedEndpoint, ScriptedTokens, http_response
from tests.functions import make_dispatcher
from tests.recovery_world import SCOPE, World
from tests.unit.recovery.replays_begun import begin_replay, counts
from webhooks.domain.delivery_log import Mark, Outcome
from webhooks.domain.health import Health
from webhooks.domain.http import HttpRequest, HttpResponse
from webhooks.domain.lane import Lane
from webhooks.domain.replay import ReplayState, WebhookCheck
from webhooks.domain.webhook import Endpoint, Webhook
from webhooks.services.dispatch.stages import DeliveryMessage

URL = "https://hooks.example.com/in"


class DispatchedWorld(World):
    """A world whose slow lane the dispatcher reads. `status`: the endpoint's response."""

    def __init__(self, *, keep_all_payloads: bool = False) -> None:
        super().__init__(keep_all_payloads=keep_all_payloads)
        self.status = 200
        self.app = InMemoryApp(subscriptions=self.subscriptions)
        self.endpoint = ScriptedEndpoint()
        self.endpoint.script(URL, self.answer)
        self._messages = count(1)

    def answer(self, _request: HttpRequest) -> HttpResponse:
        return http_response(self.status)

    def plain_webhook(self, health: Health | None = None) -> Webhook:
        return self.webhook(
            health, endpoint=Endpoint(URL), retry_count=1, retry_codes=(), success_codes=(200,)
        )

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

    def requests(self) -> Counter[str]:
        return Counter(request.headers["webhook-id"] for request in self.endpoint.requests(URL))


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("outcome", [Outcome.DEAD, Outcome.HELD, Outcome.DELIVERED])
def test_a_kill_at_any_effect_of_a_page_costs_no_attempt(status: int, outcome: Outcome) -> None:
    # A held delivery that fails is tried again, as a new one; one with an attempt has had its retry.
    attempts = 2 if status == 500 else 1
    for position in range(9):
        world = DispatchedWorld(keep_all_payloads=outcome is Outcome.DELIVERED)
        webhook = world.plain_webhook()
        ids = world.fill(webhook, 15, outcome)
        begin_replay(world, webhook, query={"outcome": outcome}, rate=1)
        world.status = status
        world.faults.at(position)
        world.run()
        assert world.requests() == dict.fromkeys(ids, attempts), position
        assert counts(world) == (ReplayState.DONE, 15, 15, 0, 0), position
        after = {entry.outcome for entry in world.log.entries()}
        assert after == {Outcome.DELIVERED if status == 200 else Outcome.DEAD}
        assert {entry.mark for entry in world.log.entries()} == {Mark.REPLAY}


@pytest.mark.parametrize("position", range(0, 40, 3))
def test_a_recovery_delivers_the_backlog_once_and_in_order(position: int) -> None:
    world = DispatchedWorld()
    webhook = world.plain_webhook(Health(backlog_since=world.now))
    ids = [
        *world.fill(webhook, 60, Outcome.DEAD, is_recoverable=True),
        *world.fill(webhook, 60, Outcome.HELD, first=60),
    ]
    world.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    world.faults.at(position)
    world.run()
    sent = [request.headers["webhook-id"] for request in world.endpoint.requests(URL)]
    assert sent == ids
    assert world.outcomes() == {Outcome.DELIVERED: 120}
    assert world.stored(webhook).health.backlog_since is None
