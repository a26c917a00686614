"""Metrics of batches, requests and schedules: the lines, their numbers, and the ceiling on what they cost."""

import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fanout import Functions, message, text
from tests.recovery_functions import SCOPE, RecoveryFunctions
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.errors import UnavailableError
from webhooks.domain.event_slice import is_slice
from webhooks.domain.health import Health
from webhooks.domain.lane import Lane
from webhooks.domain.poison import POISON_RECEIVES
from webhooks.domain.scope import Scope
from webhooks.entrypoints.batch_metrics import (
    NEAR_DLQ_RECEIVES,
    STUCK_RECEIVES,
    report_dispatch,
    report_fanout,
)
from webhooks.entrypoints.invocation import Invocation
from webhooks.entrypoints.schedule import ScheduledChecks
from webhooks.entrypoints.sqs import BatchFailedError, read_batch
from webhooks.logging import start_logging
from webhooks.metrics import CATALOGUE, MAX_VALUES, metrics
from webhooks.services.dispatch.counts import DispatchCounts, Tally
from webhooks.services.fanout.counts import FanoutCounts
from webhooks.services.fanout.stages import EventMessage
from webhooks.services.restarts import Restarts
from webhooks.services.unhealthy import count_tenants

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "metrics.md").read_text("utf-8")
LEVELS = ("DEBUG", "INFO", "WARN", "ERROR")
LAST_RECEIVE = 200  # maxReceiveCount of the template


def written(
    log: Callable[[], object], *, level: str = "ERROR", service: str = "test"
) -> list[dict[str, Any]]:
    stream = io.StringIO()
    start_logging(service=service, level=level, namespace="Webhooks/mine", stream=stream)
    log()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def values_of(line: dict[str, Any]) -> dict[str, Any]:
    """Return the metrics of a line, as CloudWatch takes them out of it."""
    names = [each["Name"] for directive in line["_aws"]["CloudWatchMetrics"] for each in directive["Metrics"]]
    return {name: line[name] for name in names}


def records(*receives: int) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": f"m{number}", "attributes": {"ApproximateReceiveCount": str(count)}}
            for number, count in enumerate(receives)
        ]
    }


# The catalogue, and what it costs.


def test_the_documented_metrics_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| `(\w+)` \| ([^|]+) \|", PAGE, re.MULTILINE)
    documented = {
        name: (unit, dimension, tuple(re.findall(r"`(\w+)`", values)))
        for name, unit, dimension, values in rows
    }
    assert documented == {name: (each.unit, each.dimension, each.values) for name, each in CATALOGUE.items()}


def test_all_metrics_together_stay_below_the_ceiling() -> None:
    found = re.search(r"at most (\d+) custom metrics.*?\$(\d+\.\d\d) a month", PAGE, re.DOTALL)
    assert found
    ceiling, price = int(found[1]), float(found[2])
    assert sum(len(each.values) for each in CATALOGUE.values()) <= ceiling
    assert price == pytest.approx(ceiling * 0.30)


def test_every_metric_is_written_by_the_code() -> None:
    sources = "".join(
        path.read_text("utf-8")
        for path in (ROOT / "layers/webhooks/python/webhooks/entrypoints").rglob("*.py")
    )
    cleanup = {f"Credentials{name.capitalize()}" for name in ("listed", "unbound", "orphans", "deleted")}
    assert {name for name in CATALOGUE if f'"{name}"' not in sources} == cleanup


def test_a_metric_that_is_not_in_the_catalogue_is_an_error() -> None:
    with pytest.raises(KeyError):
        metrics({"Unknown": 1})


def test_one_line_has_metrics_of_several_dimensions() -> None:
    tally = Tally({Outcome.DELIVERED: 2}, [5, 7], poisoned=1)
    [line] = written(lambda: report_dispatch(DispatchCounts(Lane.FAST, tally)), service="dispatcher")
    by_lane, by_service = line["_aws"]["CloudWatchMetrics"]
    assert by_lane == {
        "Namespace": "Webhooks/mine",
        "Dimensions": [["lane"]],
        "Metrics": [
            {"Name": "DeliveriesDelivered", "Unit": "Count"},
            {"Name": "EventToDelivery", "Unit": "Milliseconds"},
        ],
    }
    assert (by_service["Dimensions"], by_service["Metrics"]) == (
        [["service"]],
        [{"Name": "DeliveriesPoisoned", "Unit": "Count"}],
    )
    assert (line["lane"], line["service"]) == ("fast", "dispatcher")
    assert values_of(line) == {"DeliveriesDelivered": 2, "EventToDelivery": [5, 7], "DeliveriesPoisoned": 1}
    assert abs(line["_aws"]["Timestamp"] / 1000 - time.time()) < 60


def test_a_metric_has_at_most_100_values_in_a_line() -> None:
    tally = Tally({Outcome.DELIVERED: 130}, list(range(130)))
    [line] = written(lambda: report_dispatch(DispatchCounts(Lane.SLOW, tally)))
    assert line["EventToDelivery"] == list(range(MAX_VALUES))
    assert MAX_VALUES == 100  # of CloudWatch's embedded metric format


@pytest.mark.parametrize("level", LEVELS)
def test_the_metrics_of_batches_are_written_at_every_level(level: str) -> None:
    tally = Tally({Outcome.DEAD: 1})
    lines = written(lambda: report_fanout(FanoutCounts(events=3, unmatched=1)), level=level)
    lines += written(lambda: report_dispatch(DispatchCounts(Lane.SLOW, tally)), level=level)
    assert [values_of(line) for line in lines] == [{"Events": 3, "EventsUnmatched": 1}, {"DeliveriesDead": 1}]


def test_a_batch_without_numbers_writes_no_line() -> None:
    assert written(lambda: report_fanout(FanoutCounts())) == []
    assert written(lambda: report_dispatch(DispatchCounts(Lane.FAST, Tally()))) == []


def test_a_fault_in_the_metrics_costs_no_batch() -> None:
    broken: Any = None
    [line] = written(lambda: report_dispatch(broken))
    assert (line["message"], line["level"]) == ("metrics.not_written", "ERROR")
    [line] = written(lambda: read_batch({"Records": [{}]}, lambda: {"m1"}) and None)[:1]
    assert line["message"] == "metrics.not_written"


# Messages that come again.


def test_messages_that_come_again_are_counted() -> None:
    assert written(lambda: read_batch(records(1, 1), lambda: ())) == []
    [line] = written(lambda: read_batch(records(1, 1), lambda: ["m1"]))
    assert values_of(line) == {"MessagesFailed": 1}


def test_all_messages_of_a_batch_that_fails_come_again() -> None:
    def fail() -> list[str]:
        raise ZeroDivisionError

    def read() -> None:
        with pytest.raises(BatchFailedError):
            read_batch(records(1, 1, 1), fail)

    failed, counted = written(read)
    assert (failed["message"], values_of(counted)) == ("batch.failed", {"MessagesFailed": 3})


@pytest.mark.parametrize(
    ("receives", "counts"),
    [
        ((1, 2, STUCK_RECEIVES - 1), None),
        ((1, STUCK_RECEIVES), {"MessagesStuck": 1}),
        ((1, STUCK_RECEIVES, 100), {"MessagesStuck": 2}),
        ((NEAR_DLQ_RECEIVES, 6, 1), {"MessagesStuck": 2, "MessagesNearDlq": 1}),
    ],
)
def test_messages_that_have_failed_for_long_are_counted_before_they_are_worked_on(
    receives: tuple[int, ...], counts: dict[str, int] | None
) -> None:
    def end_the_process() -> list[str]:
        raise SystemExit

    def read() -> None:
        with pytest.raises(SystemExit):
            read_batch(records(*receives), end_the_process)

    lines = written(read)
    assert [values_of(line) for line in lines] == ([counts] if counts else [])
    assert STUCK_RECEIVES < POISON_RECEIVES < NEAR_DLQ_RECEIVES < LAST_RECEIVE


# Fan-out.


def test_a_wide_event_is_one_event_that_matched() -> None:
    functions = Functions({"wide": 600})
    assert functions.fan_out_all(message("m", text("wide"))) > 1
    assert sum(each.events for each in functions.counts) == 1
    assert sum(each.matched for each in functions.counts) == 1
    assert sum(each.deliveries for each in functions.counts) == 600
    assert functions.counts[-1].events == 0


def test_a_rejected_event_counts_by_its_cause() -> None:
    functions = Functions({"corrupt": 2, "costly": 1, "bad": 1}, small_visits=100, visits=200)
    functions.index.corrupt.add("corrupt")
    functions.index.queries[1] = ({"a.b": 1},)
    functions.index.faults["bad"] = ZeroDivisionError()
    costly = text("costly", data={"a": [{"b": 0}] * 300})
    functions.fanout.fan_out(
        [
            message("invalid", "{}"),
            message("corrupt", text("corrupt", number=2)),
            message("costly", costly),
            message("poison", text("bad", number=3), receives=POISON_RECEIVES),
            message("again", text("bad", number=4)),
        ]
    )
    [counts] = functions.counts
    assert (counts.events, counts.dead_lettered, counts.invalid, counts.poisoned) == (4, 4, 1, 2)
    assert (counts.matched, counts.unmatched) == (0, 0)


def test_a_pack_has_the_time_of_its_first_event() -> None:
    functions = Functions({"order.paid": 1, "wide": 600})
    times = {"a": 1700, "b": 1500, "c": 1900}
    functions.fanout.fan_out(
        [EventMessage(name, text(number=at), sent_at) for at, (name, sent_at) in enumerate(times.items())]
    )
    functions.fanout.fan_out([EventMessage("w", text("wide", number=9), 2000)])
    packs = [decode_pack(sent.text) for sent in functions.lane.fast.messages()]
    assert [(pack.sent_at, len(pack.deliveries)) for pack in packs[:2]] == [(1500, 3), (2000, 1)]


def test_an_event_that_comes_again_is_not_counted_yet() -> None:
    functions = Functions({"order.paid": 1})
    functions.index.faults["order.paid"] = UnavailableError("dynamodb Query: throttled")
    functions.fanout.fan_out([message("m", text())])
    assert functions.counts == [FanoutCounts()]


def test_a_slice_is_no_event_where_it_is_rejected() -> None:
    functions = Functions({"wide": 600})
    functions.fanout.fan_out([message("m", text("wide"))])
    functions.index.corrupt.add("wide")
    slices = [each.text for each in functions.events.queue.take_all() if is_slice(each.text)]
    functions.fanout.fan_out([message("s", slices[0])])
    assert (functions.counts[1].events, functions.counts[1].poisoned) == (0, 1)


# Endpoints' health.


class Tenants:
    """Communities, a page at a time."""

    def __init__(self, *names: str) -> None:
        self._scopes = sorted((Scope(*name.split("/")) for name in names), key=lambda each: each.tenant_id)

    def page(self, *, after: Scope | None, size: int) -> list[Scope]:
        start = 0 if after is None else self._scopes.index(after) + 1
        return self._scopes[start : start + min(size, 2)]


def checks(functions: RecoveryFunctions, tenants: Callable[[], int], seconds: float = 300) -> ScheduledChecks:
    restarts = Restarts(
        health=functions.subscriptions,
        subscriptions=functions.subscriptions,
        queue=functions.queue,
        clock=functions.clock,
        time_left=lambda: seconds,
    )
    return ScheduledChecks(restarts, Invocation(), count_tenants=tenants)


def test_unhealthy_webhooks_are_counted_by_their_state() -> None:
    functions, now = RecoveryFunctions(), RecoveryFunctions().now
    for health in (Health(held_since=now), Health(held_since=now, failing_since=now), Health(slow_since=now)):
        functions.webhook(health)
    functions.webhook(Health(failing_since=now))
    functions.webhook(Health(held_since=now), disabled=True)
    [line] = written(lambda: checks(functions, lambda: 7).handle({"task": "checks"}, None))
    assert values_of(line) == {
        "WebhooksUnhealthy": 5,
        "ChecksSent": line["ChecksSent"],
        "ChecksStopped": 0,
        "WebhooksSlow": 1,
        "WebhooksFailing": 1,
        "WebhooksHeld": 2,
        "WebhooksDisabled": 1,
        "TenantsHeld": 1,
        "Tenants": 7,
    }
    assert SCOPE.tenant_id  # one tenant owns them all


def test_a_look_that_stopped_tells_no_numbers_of_states() -> None:
    functions = RecoveryFunctions()
    functions.webhook(Health(held_since=functions.now))
    lines = written(lambda: checks(functions, lambda: 7, seconds=1).handle({"task": "checks"}, None))
    assert values_of(lines[-1]) == {"WebhooksUnhealthy": 0, "ChecksSent": 0, "ChecksStopped": 1}


def test_tenants_that_cannot_be_counted_cost_no_other_number() -> None:
    def refuse() -> int:
        raise UnavailableError("dynamodb Query: throttled")

    lines = written(lambda: checks(RecoveryFunctions(), refuse).handle({"task": "checks"}, None))
    assert [line["message"] for line in lines] == ["tenants.not_counted", "checks.counted"]
    assert "Tenants" not in lines[1]
    assert lines[1]["TenantsHeld"] == 0


def test_tenants_are_counted_once_over_all_pages() -> None:
    assert count_tenants(Tenants("acme/a", "acme/b", "acme/c", "beta/a", "gamma/a")) == 3
    assert count_tenants(Tenants()) == 0
