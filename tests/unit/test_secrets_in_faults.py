"""An error with a secret in its text is raised and logged without it."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.factories import BASE, COMMUNITY, TENANT, InMemoryApp, oauth_api, webhook_body
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.endpoint import (
    Behaviour,
    OneByOne,
    ScriptedEndpoint,
    ScriptedTokens,
    http_response,
)
from tests.fakes.queues import FakeDeliveryQueue, FakeEventsDlq
from tests.functions import make_dispatcher, make_fanout
from webhooks.domain.http import HttpRequest, HttpResponse
from webhooks.domain.lane import Lane
from webhooks.entrypoints.sqs import BatchFailedError, delivery_messages, event_messages, read_batch
from webhooks.logging import start_logging

SECRET = "planted-in-a-text"
BEARER = {"authType": "bearer", "credential": {"token": "planted-token"}}
EVENT = {"eventName": "E_LOGIN", "tenantId": TENANT, "communityId": COMMUNITY, "eventId": "e", "data": {}}


class Faulty:
    """A port of which one method fails as a library might: its text, its arguments and its cause say too much."""

    def __init__(self, inner: Any, method: str, failures: list[str]) -> None:
        self._inner, self._method, self._failures = inner, method, failures

    def __getattr__(self, name: str) -> Any:
        if name != self._method:
            return getattr(self._inner, name)

        def fail(*arguments: object, **named: object) -> None:
            self._failures.append(name)
            raise ValueError(f"{SECRET} in {arguments} and {named}", SECRET) from KeyError(SECRET)

        return fail


FAULTS = [
    *(
        "batch.read",
        "queue.send_slow",
        "queue.send_to_dlq",
        "queue.send_text_to_dlq",
        "endpoint.send",
        "tokens.token",
    ),
    *(
        "credentials.read",
        "service.read",
        "signing.read",
        "master.read",
        "log.record",
        "subscriptions.change",
    ),
    *(
        "health.save",
        "recovery.send",
        "publisher.publish",
        "fanout_reader.read",
        "index.listeners",
        "lane.send",
        "events_dlq.send_to_dlq",
    ),
]


class Functions:
    """Fan-out and dispatcher in memory, with a fault in one method of one port."""

    def __init__(self, fault: str, workers: ThreadPoolExecutor) -> None:
        self._port, _, self._method = fault.partition(".")
        self.failures: list[str] = []
        self.app = app = InMemoryApp()
        self.log = io.StringIO()
        start_logging(service="test", level="DEBUG", stream=self.log)
        self.queue, self.endpoint, log = FakeDeliveryQueue(), ScriptedEndpoint(), FakeDeliveryLog()
        self.fanout = make_fanout(app, self.queue, FakeEventsDlq(), wrap=self._with)
        self.dispatch = make_dispatcher(
            app,
            self.queue,
            log,
            tokens=ScriptedTokens(),
            workers=workers,
            http=OneByOne(self._with("endpoint", self.endpoint)),
            clock=app.clock,
            monotonic=app.clock,
            wrap=self._with,
        )

    def _with(self, port: str, inner: Any) -> Any:
        return Faulty(inner, self._method, self.failures) if port == self._port else inner

    def slow(self, _request: HttpRequest) -> HttpResponse:
        self.app.clock.now += 2
        return http_response()

    def register(self, path: str, outcome: Behaviour, api: dict[str, Any], **changes: int) -> None:
        url = f"https://hooks.example.com/{path}"
        body = webhook_body(api={**api, "url": url}, **changes)
        assert self.app.call("PUT", f"{BASE}/webhook", body).status == 200
        self.endpoint.script(url, outcome)

    def run(self) -> list[BatchFailedError]:
        """Lead one batch of events through both functions; returns the failures that Lambda would see."""
        seen = []
        attributes = {"SentTimestamp": "1790000000000", "ApproximateReceiveCount": "1"}
        events = [
            {"messageId": "m1", "body": json.dumps(EVENT), "attributes": attributes},
            {"messageId": "m2", "body": f"no event: {SECRET}", "attributes": attributes},
        ]
        try:
            batch = {"Records": events}
            read_batch(batch, lambda: self.fanout.fan_out(event_messages(batch)))
        except BatchFailedError as error:
            seen.append(error)
        packs = [
            {"messageId": f"p{number}", "body": text, "attributes": {"ApproximateReceiveCount": "1"}}
            for number, text in enumerate([*(sent.text for sent in self.queue.fast.take(99)), SECRET])
        ]
        try:
            batch = {"Records": packs}
            read_batch(batch, lambda: self.dispatch.dispatch(delivery_messages(batch), Lane.FAST))
        except BatchFailedError as error:
            seen.append(error)
        return seen


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_with_a_secret_in_its_text_is_logged_without_it(fault: str) -> None:
    with ThreadPoolExecutor(4) as workers:
        functions = Functions(fault, workers)
        functions.register("retried", http_response(500), BEARER, retryCount=1)
        functions.register("dead", http_response(500), BEARER)
        functions.register("gone", http_response(410), oauth_api())
        functions.register("slow", functions.slow, BEARER)

        seen = functions.run()

    logged = functions.log.getvalue()
    assert functions.failures
    assert "builtins.ValueError" in logged
    assert "planted" not in logged
    for error in seen:
        assert "planted" not in repr(error)
        assert error.__cause__ is error.__context__ is None
