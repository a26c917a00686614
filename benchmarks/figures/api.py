"""An API call as Lambda hands it over, with the store, the licenses and the address guard in memory.

It is routing, authentication (of a known caller: two envelopes and a license), validation,
the use case, the response and the log line. Measured against the same resolver (it reads the request, routes,
writes the log line and the response) with the same routes, whose handler returns `{}`; and, to compare,
against the bare resolver of Powertools, which neither reads the request nor logs.

The time of a call is its CPU time, and a sample compares the medians of calls made in turn.
"""

import json
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from benchmarks.figure import Goal, Measured, Reading
from benchmarks.paired import PAIRS
from local.progress import Progress
from tests.factories import BASE, SYSTEM, InMemoryApp, api_event, webhook_body
from webhooks.entrypoints.api.resolver import RestApi
from webhooks.entrypoints.invocation import Invocation

TITLE = "API call: authenticate and validate, store stubbed, p50"
AGAINST = "an empty handler of the same resolver"
GOAL = Goal(3)
CALLS = 400  # in one sample

type Event = Mapping[str, Any]
type Handler = Callable[[Event], dict[str, Any]]


def measure(progress: Progress) -> Measured:
    app = InMemoryApp()
    body = webhook_body(query=[{"currency": "EUR"}], tags=["a", "b"], retryCount=2)
    app.create(**body)
    readings = []
    for name, method, path, content in (
        ("fetch a page", "POST", f"{BASE}/webhooks/fetch", {"pSize": 25}),
        ("create a webhook", "PUT", f"{BASE}/webhook", body),
    ):
        with progress.step(name):
            calls = [request(app, method, path, content) for _ in range(CALLS)]
            for against, handler, goal in (
                ("", _empty(RestApi(Invocation())), GOAL),
                (", bare resolver", _bare(), None),
            ):
                samples = [_ratio(handler_of(app), handler, calls) for _ in range(PAIRS)]
                readings.append(Reading(f"{name}{against}", samples, goal=goal))
    return Measured(readings)


def request(app: InMemoryApp, method: str, path: str, content: Any) -> Event:
    headers = SYSTEM.headers(app.public_key, ts=app.clock.now)
    return api_event(method, path, headers=headers, body=json.dumps(content))


def handler_of(app: InMemoryApp) -> Handler:
    return lambda event: app.apis["webhooks"].handle(event, None)


def _empty(api: RestApi) -> Handler:
    _route(api)
    return lambda event: api.handle(event, None)


def _bare() -> Handler:
    resolver = APIGatewayRestResolver()
    _route(resolver)
    return lambda event: resolver.resolve(dict(event), None)  # type: ignore[arg-type]


def _route(resolver: APIGatewayRestResolver) -> None:
    def empty(*_: object, **__: str) -> Response[str]:
        return Response(200, "application/json", "{}")

    community, webhook = "/tenant/<t>/community/<c>", "/tenant/<t>/community/<c>/webhook/<w>"
    resolver.post(f"{community}/webhooks/fetch")(empty)
    resolver.put(f"{community}/webhook")(empty)
    resolver.patch(webhook)(empty)
    resolver.delete(webhook)(empty)
    resolver.get(f"{webhook}/secret")(empty)


def _ratio(subject: Handler, baseline: Handler, events: list[Event]) -> float:
    times = [(_time(subject, event), _time(baseline, event)) for event in events]
    return statistics.median(ours for ours, _ in times) / statistics.median(empty for _, empty in times)


def _time(handler: Handler, event: Event) -> int:
    started = time.thread_time_ns()
    response = handler(event)
    taken = time.thread_time_ns() - started
    if response["statusCode"] != 200:
        raise AssertionError(response)
    return taken
