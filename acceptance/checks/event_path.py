"""The event path: producers with roles and rules of their own, fairness, long chains of messages."""

import json
import uuid
from typing import Any

from botocore.exceptions import ClientError

from acceptance.checks.check import Check, expect
from acceptance.kept import delete_bus
from acceptance.site import COMMUNITY, TENANT, Site, as_text, event

SECONDS = 60.0
SOURCE = "webhooks.acceptance"
HELD = 1_700  # deliveries: at 100 a page the recovery queue's chain is 17 messages long
CHAIN = 16  # after so many Lambda ends a chain unless RecursiveLoop is Allow
EVENTS_A_MESSAGE = 850
LOOPING = ("FanoutFunction", "DispatcherFunction", "RecoveryFunction")
NOISY = "ApproximateNumberOfNoisyGroups"  # CloudWatch has it for queues whose messages have groups


def by_event_bridge(site: Site) -> str:
    """A rule of an event bus puts its events on the encrypted queue, without a role."""
    events, names = site.account.client("events"), site.names
    tags = [{"Key": key, "Value": value} for key, value in names.tags.items()]
    try:
        events.create_event_bus(Name=names.bus, Tags=tags)
    except events.exceptions.ResourceAlreadyExistsException:
        delete_bus(site.account, names.bus)
        events.create_event_bus(Name=names.bus, Tags=tags)
    try:
        events.put_rule(
            Name=names.bus, EventBusName=names.bus, EventPattern=json.dumps({"source": [SOURCE]}), Tags=tags
        )
        target = {"Id": "webhooks", "Arn": site.service.outputs["EventsQueueArn"]}
        refused = events.put_targets(Rule=names.bus, EventBusName=names.bus, Targets=[target])
        expect(not refused["FailedEntryCount"], refused)
        with site.receiver() as receiver:
            _, name = site.register(receiver)
            detail = {"tenantId": TENANT, "communityId": COMMUNITY, "orderId": "A-1"}
            entry = {
                "Source": SOURCE,
                "DetailType": name,
                "Detail": json.dumps(detail),
                "EventBusName": names.bus,
            }
            site.until(lambda: False, seconds=0 if site.account.is_emulator else 5)  # a rule is active late
            put = events.put_events(Entries=[entry])
            expect(not put["FailedEntryCount"], put)
            [callback] = receiver.wait_for(1, seconds=SECONDS * site.patience)
    finally:
        delete_bus(site.account, names.bus)
    received = json.loads(callback.body)
    expect((received["type"], received["data"].get("orderId")) == (name, "A-1"), callback.body)
    return f"put_events on {names.bus} became a callback, event {received['id']}"


def by_producers_role(site: Site) -> str:
    """A role with the three permissions of README sends to the encrypted queue."""
    with site.receiver() as receiver:
        _, name = site.register(receiver)
        sent = site.until(lambda: _send_as(site, "ProducerRole", name), seconds=SECONDS)
        expect(sent, "the producer's role could not send")
        receiver.wait_for(1, seconds=SECONDS * site.patience)
    return "SendMessage by the producer's role became a callback"


def without_the_key(site: Site) -> str:
    """A role that lacks the key's permissions is refused by KMS."""
    site.until(lambda: _can_act(site, "ProducerWithoutKeyRole"), seconds=SECONDS)
    try:
        _send(site.account.client_as(site.side.outputs["ProducerWithoutKeyRole"], "sqs"), site, "none")
    except ClientError as error:
        code = error.response["Error"]["Code"]
        expect("kms" in str(error).lower() or code.startswith("KMS"), error)
        return f"SendMessage is refused: {code}"
    raise AssertionError("a role without permissions of the key could send")


def _can_act(site: Site, role: str) -> bool:
    try:
        site.account.client_as(site.side.outputs[role], "sqs")
    except ClientError:
        return False  # a new role is known everywhere some seconds late
    return True


def _send_as(site: Site, role: str, name: str) -> bool:
    try:
        _send(site.account.client_as(site.side.outputs[role], "sqs"), site, name)
    except ClientError as error:
        if "AccessDenied" not in error.response["Error"]["Code"]:
            raise
        return False
    return True


def _send(sqs: Any, site: Site, name: str) -> None:
    url = site.service.outputs["EventsQueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=as_text(event(name)), MessageGroupId="acme")


def loops_are_allowed(site: Site) -> str:
    """A chain of more than 16 messages, each sent by the function that read the one before, is not ended."""
    functions = site.account.client("lambda")
    for logical_id in LOOPING:
        name = site.service.physical_id(logical_id)
        found = functions.get_function_recursion_config(FunctionName=name)["RecursiveLoop"]
        expect(found == "Allow", f"{logical_id}: RecursiveLoop is {found}")
    with site.receiver() as receiver:
        webhook, name = site.register(receiver, paused=True)
        path = f"webhook/{webhook['_id']}"
        for start in range(0, HELD, EVENTS_A_MESSAGE):
            ids = [f"{uuid.uuid4()}" for _ in range(start, min(start + EVENTS_A_MESSAGE, HELD))]
            _publish(site, [event(name, eventId=each) for each in ids])
        held = site.until(lambda: _health(site, path)["held"] >= HELD, seconds=180)
        expect(held, f"{_health(site, path)['held']} of {HELD} deliveries are held")
        resumed = site.caller.call("PATCH", path, {"paused": False})
        expect(resumed.status == 200, resumed.body)
        callbacks = receiver.wait_for(HELD, seconds=300 * site.patience)
    arrived = {json.loads(each.body)["id"] for each in callbacks}
    expect(len(arrived) == HELD, f"{len(arrived)} of {HELD} events arrived")
    return (
        f"{HELD} held deliveries arrived, by a chain of {HELD // 100} messages; {', '.join(LOOPING)}: Allow"
    )


def _publish(site: Site, events: list[dict[str, Any]]) -> None:
    url = site.service.outputs["EventsQueueUrl"]
    site.account.client("sqs").send_message(QueueUrl=url, MessageBody=as_text(events), MessageGroupId="acme")


def _health(site: Site, path: str) -> dict[str, Any]:
    found: dict[str, Any] = site.caller.call("GET", path).json["health"]
    return found


def fair_groups(site: Site) -> str:
    """Messages carry their community as the group, so that the queues are fair."""
    queue = site.service.outputs["DeliveriesQueueUrl"].rpartition("/")[2]
    metrics = site.account.client("cloudwatch")

    def found() -> Any:
        wanted = [{"Name": "QueueName", "Value": queue}]
        return metrics.list_metrics(Namespace="AWS/SQS", MetricName=NOISY, Dimensions=wanted)["Metrics"]

    expect(site.until(found, seconds=300, pause=10), f"CloudWatch has no {NOISY} of {queue}")
    return f"CloudWatch has {NOISY} of {queue}"


def nothing_was_denied(site: Site) -> str:
    """No function logged that AWS denied it a call."""
    logs, lines = site.account.client("logs"), 0
    groups = [each["PhysicalResourceId"] for each in site.service.resources("AWS::Logs::LogGroup")]
    for group in groups:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=int(site.began * 1000), filterPattern='"AccessDenied"'
        )
        found = [
            entry["message"]
            for page in pages
            for entry in page["events"]
            if "AccessDenied" in entry["message"]
        ]
        expect(not found, f"{group}: {found[:1]}")
        lines += len(found)
    return f"no AccessDenied in {len(groups)} log groups"


CHECKS = (
    Check("an EventBridge rule reaches the encrypted queue", by_event_bridge),
    Check("a producer's role sends with KMS", by_producers_role),
    Check(
        "a role without the key is refused", without_the_key, "the emulator decides no permission by default"
    ),
    Check(
        f"a chain of more than {CHAIN} messages is not ended", loops_are_allowed, "the emulator ends no chain"
    ),
    Check("queues are fair between communities", fair_groups, "the emulator has no metrics of groups"),
    Check("no call of a function was denied", nothing_was_denied),
)
