"""An attempt's time: its start, and its parts."""

from dataclasses import dataclass, field
from typing import Any, cast

from tests.clocks import Clock as Now
from tests.factories import SCOPE, InMemoryApp, oauth_api
from tests.fakes.endpoint import at_once, http_response, lead
from tests.fakes.keys import FakeMaster
from webhooks.domain.delivery import Delivery
from webhooks.domain.http import ClientCredentials, HttpOutcome, HttpRequest
from webhooks.ports import Conversation, KeyStore
from webhooks.services.dispatch.attempt import Attempts
from webhooks.services.dispatch.callback_request import CallbackSigner

DELIVERY = Delivery(id="d", event_id="e", event_name="E_LOGIN", log_time=0, body="{}")


@dataclass
class Slow:
    """Keys, tokens and an endpoint that each take a while; notes the seconds that each was given."""

    clock: Now
    app: InMemoryApp
    given: dict[str, float] = field(default_factory=dict)

    def read(self) -> Any:
        self.clock.now += 2
        return self.app.keys.read()

    def token(
        self, _client: ClientCredentials, *, seconds: float, rejected: str | None = None
    ) -> Conversation[str]:
        assert rejected is None
        self.given["token"] = seconds
        self.clock.now += 1
        return at_once("t")

    def send(self, _request: HttpRequest, *, seconds: float) -> HttpOutcome:
        self.given["endpoint"] = seconds
        self.clock.now += 0.5
        return http_response(200)


class SlowSigner(CallbackSigner):
    """Signs for a while."""

    clock = Now()

    def request(self, *args: Any, **named: Any) -> HttpRequest:
        self.clock.now += 3
        return super().request(*args, **named)


def test_the_ttl_starts_after_signing_and_the_latency_covers_the_attempt() -> None:
    app, clock = InMemoryApp(), Now()
    app.create(api=oauth_api(), ttl=4)
    [webhook] = app.subscriptions.page(SCOPE, index=0, size=1, tags=()).webhooks
    slow = Slow(clock, app)
    signer = SlowSigner(
        service=cast("KeyStore", slow), signing=app.signing_keys, master=FakeMaster(b"m" * 64)
    )
    signer.clock = clock
    attempts = Attempts(tokens=slow, monotonic=clock, default_ttl=5)
    signer.refresh()
    assert webhook.credential is not None
    credential = app.credentials.read(webhook.credential)
    before = clock.now

    request = signer.request(webhook, DELIVERY, now=before)
    outcome = lead(attempts.send(webhook, request, credential=credential), slow)

    assert clock.now - before == 3 + 1 + 0.5  # no store was read
    assert slow.given == {"token": 4, "endpoint": 3}
    assert outcome.latency_ms == 1500
