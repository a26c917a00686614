"""Metrics of the deployed functions: their numbers are those of the log, alarms and dashboard are there."""

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from local.stack import STACK_NAME, Stack
from tests.e2e import logs, permissions
from tests.e2e.platform_client import PlatformClient
from tests.e2e.test_delivery import publish, register
from tests.receiver import Receiver, reply

pytestmark = pytest.mark.local_only("it reads metrics from the log at once; in AWS they are minutes late")

SECONDS = 90.0  # on a busy machine
VERDICTS = {
    "retryafter": "DeliveriesRetried",
    "deadlettered": "DeliveriesDead",
}


def logged(stack: Stack, group: str, *, since: float) -> list[dict[str, Any]]:
    found = logs.lines(stack, permissions.physical_id(stack, group), since=since)
    return [json.loads(line) for line in found if line.startswith("{")]


def counted(lines: list[dict[str, Any]]) -> Counter[str]:
    """Add up the metrics of lines as CloudWatch does, by name; of several values, how many there are."""
    counts: Counter[str] = Counter()
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            for metric in directive["Metrics"]:
                value = line[metric["Name"]]
                counts[metric["Name"]] += len(value) if isinstance(value, list) else value
    return counts


def attempts(lines: list[dict[str, Any]]) -> Counter[str]:
    """Count the log's lines of failed attempts by the metric that counts them."""
    verdicts = [line["verdict"] for line in lines if line["message"] == "delivery.failed"]
    return Counter(VERDICTS[each] for each in verdicts if each in VERDICTS)


def of(lines: list[dict[str, Any]], field: str, value: str) -> list[dict[str, Any]]:
    return [line for line in lines if line.get(field) == value]


def wait_for(
    read: Callable[[], list[dict[str, Any]]], is_done: Callable[[list[dict[str, Any]]], bool]
) -> list[dict[str, Any]]:
    until = time.monotonic() + SECONDS
    while not is_done(lines := read()) and time.monotonic() < until:
        time.sleep(0.3)
    assert is_done(lines), lines
    return lines


def test_the_metrics_of_a_pipeline_are_the_numbers_of_its_log(stack: Stack, system: PlatformClient) -> None:
    """Other tests of this stack may deliver at the same time: their lines count on both sides."""
    began = time.time() - 1
    unheard = f"e2e.unheard.{uuid.uuid4().hex[:8]}"
    with Receiver() as receiver:
        receiver.script(reply(503), reply(500), path="/dead")
        _, delivered = register(system, receiver)
        failing, dead = register(system, receiver, path="/dead", retryCount=1)
        for _ in range(3):
            publish(stack, delivered)
        publish(stack, dead)
        publish(stack, unheard)
        receiver.wait_for(5, seconds=SECONDS)

        def is_settled(lines: list[dict[str, Any]]) -> bool:
            counts = counted(lines)
            return (
                len(of(lines, "event_name", dead)) == 2
                and counts["DeliveriesDelivered"] >= 3
                and all(counts[name] >= number for name, number in attempts(lines).items())
            )

        dispatched = wait_for(lambda: logged(stack, "DispatcherLogs", since=began), is_settled)
    assert system.call("DELETE", f"webhook/{failing['_id']}").status == 204  # no probes in other tests
    fanned_out = wait_for(
        lambda: logged(stack, "FanoutLogs", since=began), lambda lines: counted(lines)["Events"] >= 5
    )

    assert attempts(of(dispatched, "event_name", dead)) == {"DeliveriesRetried": 1, "DeliveriesDead": 1}
    assert of(dispatched, "event_name", delivered) == []  # the delivery log has these
    counts = counted(dispatched)
    assert {name: counts[name] for name in VERDICTS.values()} == attempts(dispatched)
    assert counts["EventToDelivery"] == counts["DeliveriesDelivered"]
    assert (counts["DeliveriesPoisoned"], counts["DeliveriesUnrecorded"]) == (0, 0)
    events = counted(fanned_out)
    assert events["EventsUnmatched"] == len(of(fanned_out, "message", "event.unmatched"))
    assert len(of(fanned_out, "event_name", unheard)) == 1
    assert events["Events"] == (
        events["EventsMatched"] + events["EventsUnmatched"] + events["EventsDeadLettered"]
    )

    [retried] = [each for each in of(dispatched, "message", "batch.dispatched") if "DeliveriesDead" in each]
    assert retried["lane"] == "slow"
    [latencies] = [
        each["EventToDelivery"] for each in of(dispatched, "lane", "fast") if "EventToDelivery" in each
    ][:1]
    assert all(0 <= each < SECONDS * 1000 for each in latencies)
    namespaces = {
        directive["Namespace"]
        for line in (*dispatched, *fanned_out)
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", [])
    }
    assert namespaces == {f"Webhooks/{STACK_NAME}"}


def test_the_schedule_tells_the_health_of_endpoints(stack: Stack, system: PlatformClient) -> None:
    began = time.time() - 1
    with Receiver() as receiver:
        register(system, receiver)
    name = permissions.physical_id(stack, "MaintenanceFunction")
    stack.client("lambda").invoke(
        FunctionName=name, Qualifier="live", Payload=json.dumps({"task": "checks"}).encode()
    )
    lines = wait_for(
        lambda: logged(stack, "MaintenanceLogs", since=began),
        lambda found: bool(of(found, "message", "checks.counted")),
    )
    gauges = of(lines, "message", "checks.counted")[-1]
    assert gauges["Tenants"] >= 1
    assert gauges["TenantsHeld"] <= gauges["Tenants"]
    assert gauges["ChecksStopped"] == 0
    assert {"WebhooksSlow", "WebhooksFailing", "WebhooksHeld", "WebhooksDisabled"} <= gauges.keys()


def test_alarms_and_dashboard_are_deployed(stack: Stack) -> None:
    client = stack.client("cloudwatch")
    alarms = client.describe_alarms(AlarmNamePrefix=f"{STACK_NAME}-", MaxRecords=100)["MetricAlarms"]
    assert {each["AlarmName"].removeprefix(f"{STACK_NAME}-") for each in alarms} >= {
        "events-queue-age",
        "deliveries-poisoned",
        "fast-lane-latency",
    }
    assert {tuple(each["AlarmActions"]) for each in alarms} == {()}  # without AlarmTopicArn
    body = json.loads(client.get_dashboard(DashboardName=STACK_NAME)["DashboardBody"])
    assert "${" not in json.dumps(body)
    shown = [each for widget in body["widgets"] for each in widget["properties"].get("alarms", [])]
    assert sorted(each.rpartition(":")[2] for each in shown) == sorted(each["AlarmName"] for each in alarms)
