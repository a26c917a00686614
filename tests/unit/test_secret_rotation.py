"""A webhook's secret is replaced while callbacks are signed: receivers verify by the old or the new one."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook as StandardWebhook
from standardwebhooks import WebhookVerificationError

from tests.clocks import NOW, Clock
from tests.factories import (
    BASE,
    COMMUNITY,
    LEVELS,
    OTHER_TENANT,
    SCOPE,
    SYSTEM,
    TENANT,
    ApiResponse,
    InMemoryApp,
)
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.endpoint import OneByOne, ScriptedEndpoint, ScriptedTokens, http_response
from tests.fakes.keys import FakeMaster
from tests.fakes.queues import FakeDeliveryQueue, FakeEventsDlq
from tests.fakes.subscriptions import FakeSubscriptions
from tests.functions import make_dispatcher, make_fanout
from tests.random_bytes import DistinctBytes
from webhooks.domain.delivery import delivery_of
from webhooks.domain.errors import StaleError, UnavailableError
from webhooks.domain.event import parse_event
from webhooks.domain.http import HttpOutcome, HttpRequest
from webhooks.domain.lane import Lane
from webhooks.domain.secret_rotation import GRACE, MOST
from webhooks.domain.webhook import OldSecret, Webhook
from webhooks.entrypoints.sqs import delivery_messages, event_messages
from webhooks.services.dispatch.callback_request import CallbackSigner

EVENT = {"eventName": "E_LOGIN", "tenantId": TENANT, "communityId": COMMUNITY, "data": {"a": 1}}


ATTRIBUTES = {"SentTimestamp": "1790000000000", "ApproximateReceiveCount": "1"}


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


def path(webhook_id: str) -> str:
    return f"{BASE}/webhook/{webhook_id}/secret"


def rotate(app: InMemoryApp, webhook_id: str, **more: Any) -> ApiResponse:
    return app.call("POST", f"{path(webhook_id)}/rotate", **more)


def secret_of(app: InMemoryApp, response: ApiResponse) -> str:
    assert response.status == 200, response.text
    assert list(response.json) == ["signingSecret", "publicKey"]
    return SYSTEM.open(app.public_key, response.json["signingSecret"])


def stored(app: InMemoryApp, webhook_id: str) -> Webhook:
    found = app.subscriptions.get(SCOPE, webhook_id)
    assert found is not None
    return found


def callback(app: InMemoryApp, webhook_id: str) -> HttpRequest:
    """Sign a callback as the dispatcher does, from the webhook as it is now."""
    signer = CallbackSigner(service=app.keys, signing=app.signing_keys, master=FakeMaster(b"m" * 64))
    event = parse_event(json.dumps(EVENT), message_id="m", sent_at=int(NOW * 1000))
    return signer.request(stored(app, webhook_id), delivery_of(event, webhook_id), now=app.clock.now)


def verifies(request: HttpRequest, secret: str, clock: Clock) -> bool:
    """Verify by the published library, whose clock is the test's."""
    now = datetime.fromtimestamp(clock.now, tz=timezone.utc)  # noqa: UP017 - as the library calls it
    with mock.patch("standardwebhooks.webhooks.datetime", wraps=datetime) as its_clock:
        its_clock.now.return_value = now
        try:
            StandardWebhook(secret).verify(request.body, dict(request.headers))
        except WebhookVerificationError:
            return False
    return True


def test_a_rotated_secret_signs_at_once_and_the_old_one_beside_it_for_a_day(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    old = secret_of(app, app.call("GET", path(webhook_id)))
    new = secret_of(app, rotate(app, webhook_id))
    assert new != old
    assert secret_of(app, app.call("GET", path(webhook_id))) == new
    for seconds, both in ((0, True), (GRACE - 1, True), (GRACE, False)):
        app.clock.now = NOW + seconds
        request = callback(app, webhook_id)
        assert verifies(request, new, app.clock)
        assert verifies(request, old, app.clock) is both


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.tuples(st.booleans(), st.integers(1, GRACE // 2)), min_size=1, max_size=30))
def test_every_callback_verifies_by_each_secret_that_was_replaced_within_a_day(
    steps: list[tuple[bool, int]],
) -> None:
    app = InMemoryApp()
    webhook_id = app.create()["_id"]
    secrets = [secret_of(app, app.call("GET", path(webhook_id)))]
    replaced: list[float] = []  # when each of them but the last was
    for is_rotation, seconds in steps:
        app.clock.now += seconds
        if is_rotation:
            counting = sum(app.clock.now < at + GRACE for at in replaced)
            response = rotate(app, webhook_id)
            assert response.status == (409 if counting >= MOST else 200)
            if response.status == 200:
                replaced.append(app.clock.now)
                secrets.append(secret_of(app, response))
        request = callback(app, webhook_id)
        expected = [*(app.clock.now < at + GRACE for at in replaced), True]
        assert [verifies(request, secret, app.clock) for secret in secrets] == expected
        assert len(request.headers["webhook-signature"].split(" ")) == 1 + sum(expected)


def test_every_callback_of_a_days_traffic_verifies_while_its_receiver_learns_the_new_secret() -> None:
    """Two events a message, every five minutes; the secret is rotated while a callback is in flight."""
    app, queue, endpoint = InMemoryApp(), FakeDeliveryQueue(), ScriptedEndpoint()
    webhook_id = app.create()["_id"]
    known = [secret_of(app, app.call("GET", path(webhook_id)))]
    url, verified = "https://hooks.example.com/in", []

    def receive(request: HttpRequest) -> HttpOutcome:
        verified.append([verifies(request, secret, app.clock) for secret in known])
        if len(verified) == 3:
            known.append(secret_of(app, rotate(app, webhook_id)))
        return http_response()

    endpoint.script(url, receive)
    with ThreadPoolExecutor(2) as workers:
        fanout = make_fanout(app, queue, FakeEventsDlq())
        dispatcher = make_dispatcher(
            app,
            queue,
            FakeDeliveryLog(),
            http=OneByOne(endpoint),
            tokens=ScriptedTokens(),
            workers=workers,
            clock=app.clock,
            monotonic=app.clock,
        )
        for number in range(24 * 12 + 2):
            events = [{**EVENT, "eventId": f"{number} {each}"} for each in range(2)]
            records = [
                {"messageId": f"m{at}", "body": json.dumps(event), "attributes": ATTRIBUTES}
                for at, event in enumerate(events)
            ]
            fanout.fan_out(event_messages({"Records": records}))
            packs = [
                {"messageId": f"p{at}", "body": sent.text, "attributes": ATTRIBUTES}
                for at, sent in enumerate(queue.fast.take_all())
            ]
            dispatcher.dispatch(delivery_messages({"Records": packs}), Lane.FAST)
            app.clock.now += 300
    assert len(verified) == 2 * (24 * 12 + 2)
    assert all(old for old, *_ in verified[:-2]), "the old secret signs for a day"
    assert all(new for _, new in verified[4:]), "the new one signs from the next batch on"
    assert verified[3] == [True, False], "signed before the rotation, sent after it"
    assert verified[-1] == [False, True]


def test_a_rotation_beyond_the_most_says_when_the_next_one_can_be(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    for _ in range(MOST):
        assert rotate(app, webhook_id).status == 200
        app.clock.now += 60
    refused = rotate(app, webhook_id)
    assert refused.status == 409
    assert refused.message == (
        "webhookId: 5 earlier secrets of this webhook still sign, which is the most; the first of them ends in "
        "86100 seconds, rotate again then"
    )
    app.clock.now += 86100
    assert rotate(app, webhook_id).status == 200
    assert len(stored(app, webhook_id).old_secrets) == MOST


def test_the_exact_repeat_of_a_rotation_gets_the_first_response(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    first, again = (rotate(app, webhook_id, uuid="the same") for _ in range(2))
    assert first.text == again.text
    assert stored(app, webhook_id).secret_version == 2
    secret_of(app, rotate(app, webhook_id, uuid="another"))
    assert secret_of(app, rotate(app, webhook_id, uuid="the same")) != secret_of(app, first)


@pytest.mark.parametrize(("point", "version"), [("before", 1), ("after", 2)])
def test_a_rotation_that_no_response_came_of_is_made_once_by_its_repeat(point: str, version: int) -> None:
    failures = [f"{point} subscriptions.change"]

    def fail(at: str) -> None:
        if at in failures:
            failures.remove(at)
            raise UnavailableError("dynamodb TransactWriteItems: ReadTimeoutError")

    clock, random_bytes = Clock(), DistinctBytes()
    app = InMemoryApp(subscriptions=FakeSubscriptions(clock=clock, random_bytes=random_bytes, fault=fail))
    webhook_id = app.create()["_id"]
    assert rotate(app, webhook_id, uuid="the same").status == 503
    assert stored(app, webhook_id).secret_version == version
    repeated = secret_of(app, rotate(app, webhook_id, uuid="the same"))
    assert stored(app, webhook_id).secret_version == 2
    assert secret_of(app, app.call("GET", path(webhook_id))) == repeated


class OftenLost(FakeSubscriptions):
    """Another request changes each webhook before the first changes of it take effect."""

    def __init__(self, losses: int) -> None:
        super().__init__(clock=Clock(), random_bytes=DistinctBytes(), fault=self._lose)
        self._losses = losses

    def _lose(self, point: str) -> None:
        if point == "before subscriptions.change" and self._losses:
            self._losses -= 1
            raise StaleError


@pytest.mark.parametrize(("losses", "status"), [(9, 200), (10, 409)])
def test_a_rotation_that_loses_races_is_made_again(losses: int, status: int) -> None:
    app = InMemoryApp(subscriptions=OftenLost(losses))
    webhook_id = app.create()["_id"]
    assert rotate(app, webhook_id).status == status
    assert stored(app, webhook_id).secret_version == (2 if status == 200 else 1)


def test_a_change_of_other_fields_keeps_the_secrets(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    rotate(app, webhook_id)
    assert app.call("PATCH", f"{BASE}/webhook/{webhook_id}", {"name": "new"}).status == 200
    webhook = stored(app, webhook_id)
    assert (webhook.secret_version, webhook.old_secrets) == (2, (OldSecret(1, int(NOW) + GRACE),))


@pytest.mark.parametrize("webhook_id", ["0" * 24, "x", "A" * 24])
@pytest.mark.parametrize("level", LEVELS)
def test_an_unknown_webhooks_secret_is_a_404(app: InMemoryApp, level: str, webhook_id: str) -> None:
    response = app.call("POST", f"{path(webhook_id)}/rotate", by=LEVELS[level])
    assert (response.status, response.message) == (404, "webhookId: no such webhook")


def test_another_communitys_license_rotates_nothing(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    assert app.call("POST", f"{path(webhook_id)}/rotate", by=OTHER_TENANT).status == 403
    theirs = path(webhook_id).replace(BASE, "/tenant/other/community/theirs")
    assert app.call("POST", f"{theirs}/rotate", by=OTHER_TENANT).status == 404
    assert stored(app, webhook_id).secret_version == 1
