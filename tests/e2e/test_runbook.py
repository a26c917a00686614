"""The runbook, rehearsed: each trouble is caused, its alarms breach, the section's commands end it.

The commands are those of docs/runbook.md and of `webhooks status`; alarms.py says what CloudWatch would evaluate.
"""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.stack import Stack
from tests.e2e import permissions
from tests.e2e.alarms import Alarms
from tests.e2e.on_call import SECONDS, OnCall, Rehearsals, eventually
from tests.e2e.platform_client import PlatformClient
from tests.e2e.test_api import created
from tests.e2e.test_command import Webhooks
from tests.e2e.test_delivery import publish, register
from tests.e2e.test_kills import dead_letters, hidden_for, settle
from tests.e2e.test_outage import TABLES, away
from tests.e2e.trouble import LATEST, invoke, mapping_of, not_running, receive_often, released, sample, unread
from tests.receiver import Receiver, reply
from webhooks.domain.delivery import Delivery, Pack, delivery_id
from webhooks.domain.delivery_message import encode_pack
from webhooks.domain.scope import Scope

pytestmark = pytest.mark.local_only(
    "it causes troubles that an emulator allows, and waits for none of its alarms"
)

HIDDEN = 6  # seconds; more than a batch takes on a busy machine, or it comes twice
CHECKS, CLEANUP = sample("schedule/checks.json"), sample("schedule/maintenance.json")
NO_THROTTLES = "the emulator's tables take every call at once: none is ever throttled"
NO_ERRORS = "the emulator's tables have no errors of their own; an outage of the tables is rehearsed"
# Alarms whose metric the emulator cannot move, each with the reason.
NOT_CAUSED = {
    "subscriptions-table-throttles": NO_THROTTLES,
    "deliveries-table-throttles": NO_THROTTLES,
    "access-table-throttles": NO_THROTTLES,
    "subscriptions-table-errors": NO_ERRORS,
    "deliveries-table-errors": NO_ERRORS,
    "access-table-errors": NO_ERRORS,
}
REHEARSALS = Rehearsals()


@pytest.fixture
def on_call(tmp_path: Path, stack: Stack) -> OnCall:
    return OnCall(stack, Webhooks(tmp_path, stack))


@pytest.fixture
def alarms(stack: Stack) -> Alarms:
    return Alarms(stack)


@pytest.fixture
def client(system: PlatformClient) -> PlatformClient:
    """A client of a community of its own."""
    return _client(system, "acme")


def _client(system: PlatformClient, tenant: str) -> PlatformClient:
    community = f"runbook-{uuid.uuid4().hex[:8]}"
    return PlatformClient(system.api_url, system.license_key, tenant=tenant, community=community)


@pytest.fixture(autouse=True)
def _quick(stack: Stack) -> Iterator[None]:
    """Let messages come again soon, and leave no dead letters."""
    with hidden_for(stack, HIDDEN):
        yield
    for queue in ("EventsDlqUrl", "DeliveriesDlqUrl", "RecoveryDlqUrl"):
        dead_letters(stack, queue)


def now() -> str:
    """Return the time as a command takes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def packed(client: PlatformClient, webhook_id: str, name: str) -> str:
    """Return a delivery as a message of a lane."""
    event_id = str(uuid.uuid4())
    body = json.dumps({"id": event_id, "type": name})
    one = Delivery(delivery_id(event_id, webhook_id, log_time=0), event_id, name, log_time=0, body=body)
    return encode_pack(Pack(webhook_id, Scope(client.tenant, client.community), (one,)))


def send(stack: Stack, queue: str, *texts: str) -> None:
    for text in texts:
        stack.client("sqs").send_message(QueueUrl=stack.outputs[queue], MessageBody=text)


def messages(on_call: OnCall, queue: str) -> int:
    """Count the messages of a queue, by its name in `webhooks status`."""
    shown = on_call.webhooks("status", "--json").document["queues"]
    [found] = [each for each in shown if each["queue"] == queue]
    return int(found["messages"] + found["inFlight"])


def test_every_alarm_is_rehearsed_or_has_a_reason(alarms: Alarms) -> None:
    assert not REHEARSALS.tests.keys() & NOT_CAUSED.keys()
    assert REHEARSALS.tests.keys() | NOT_CAUSED.keys() == alarms.known.keys()


NOT_READ = (
    "events-queue-age",
    "deliveries-queue-age",
    "slow-deliveries-queue-age",
    "recovery-queue-age",
    "events-queue-expiry",
    "deliveries-queue-expiry",
    "slow-deliveries-queue-expiry",
    "recovery-queue-expiry",
)
QUEUES = ("EventsQueueUrl", "DeliveriesQueueUrl", "SlowDeliveriesQueueUrl", "RecoveryQueueUrl")
READERS = {
    "fanout": ("events",),
    "dispatcher": ("deliveries", "slow_deliveries"),
    "recovery": ("tasks",),
}


@REHEARSALS.of(*NOT_READ, "fast-lane-latency")
def test_queues_that_are_not_read(
    stack: Stack, client: PlatformClient, alarms: Alarms, on_call: OnCall
) -> None:
    findings = [
        f"{function} does not read {source}" for function, sources in READERS.items() for source in sources
    ]
    with Receiver() as receiver:
        webhook, name = register(client, receiver)
        paused = created(client, paused=True)
        with unread(stack, *QUEUES):
            alarms.begin()
            publish(stack, name, communityId=client.community)
            for lane in ("DeliveriesQueueUrl", "SlowDeliveriesQueueUrl"):
                send(stack, lane, packed(client, webhook["_id"], name))
            client.call("PATCH", f"webhook/{paused['_id']}", {"paused": False})  # asks for a check
            alarms.until_on(*NOT_READ)
            assert receiver.requests == []

            on_call.mend(*(f"{each}:" for each in findings))

            assert [each for each in on_call.wrong() if "does not read" in each] == []
            receiver.wait_for(3, seconds=SECONDS)
            alarms.until_on("fast-lane-latency")
            settle(stack, seconds=SECONDS)  # a batch's numbers come at its end
            alarms.begin()
            publish(stack, name, communityId=client.community)
            receiver.wait_for(4, seconds=SECONDS)
            alarms.until_off(*NOT_READ, "fast-lane-latency")


@REHEARSALS.of("pipeline-throttles", "api-function-throttles")
def test_functions_that_lambda_refuses_to_run(stack: Stack, alarms: Alarms, on_call: OnCall) -> None:
    refused = ("pipeline-throttles", "api-function-throttles")
    calls = {"MaintenanceFunction": CHECKS, "DiscoveryFunction": sample("api/root.json")}

    def are_throttled() -> set[bool]:
        return {invoke(stack, each, calls[each], version=LATEST)["throttled"] for each in calls}

    with not_running(stack, list(calls)):
        alarms.begin()
        assert are_throttled() == {True}
        alarms.until_on(*refused)
        on_call.mend("maintenance does not run", "discovery does not run")
        alarms.begin()
        assert are_throttled() == {False}
        alarms.until_off(*refused)
        assert [each for each in on_call.wrong() if "does not run" in each] == []


BROKEN = ("pipeline-errors", "api-function-errors", "api-server-errors", "api-latency", "checks-stopped")
AT_INIT = 'raise RuntimeError("a broken release")'
AT_CALL = """
def lambda_handler(event, context):
    raise RuntimeError("a broken release")
"""
SLOW = """
_quick = lambda_handler
def lambda_handler(event, context):
    import time
    time.sleep(5.1)
    return _quick(event, context)
"""
NO_TIME = "import webhooks.services.restarts as restarts; restarts.SECONDS = 10**6"


@REHEARSALS.of(*BROKEN, "queues-in-flight")
def test_a_broken_release(stack: Stack, client: PlatformClient, alarms: Alarms, on_call: OnCall) -> None:
    faults = {
        "FanoutFunction": (AT_INIT, ""),
        "WebhooksFunction": ("", AT_CALL),
        "DiscoveryFunction": ("", SLOW),
        "MaintenanceFunction": (NO_TIME, ""),
    }

    def use() -> None:
        """Call each of the functions, as its callers do."""
        for _ in range(5):
            alarms.facts.responses.append(client.call("POST", "webhooks/fetch", {}).status)
        invoke(stack, "WebhooksFunction", sample("api/fetch_webhooks.json"))
        invoke(stack, "DiscoveryFunction", sample("api/root.json"))
        invoke(stack, "MaintenanceFunction", CHECKS)

    with Receiver() as receiver:
        _, name = register(client, receiver)
        created(client, paused=True)  # checks look at webhooks that are not healthy
        before = now()
        with released(stack, faults):
            alarms.begin()
            publish(stack, name, communityId=client.community)
            alarms.until_on("queues-in-flight", "pipeline-errors")
            use()
            alarms.until_on(*BROKEN)

            dry = "webhooks rollback --before TIME --dry-run"
            would = on_call.document("pipeline-errors", dry, TIME=before)
            assert {each["function"] for each in would["functions"]} == {
                "fanout",
                "webhooks",
                "discovery",
                "maintenance",
            }
            assert receiver.requests == []
            on_call.run("pipeline-errors", "webhooks rollback --before TIME", TIME=before)

            receiver.wait_for(1, seconds=SECONDS)
            settle(stack, seconds=SECONDS)
            alarms.begin()
            use()
            alarms.until_off(*BROKEN, "queues-in-flight")
            assert alarms.facts.responses == [200] * 5


POISONED = ("events-poisoned", "deliveries-poisoned")
FANOUT_FAULT = """
import webhooks.services.fanout.alone as alone
def parse_part(*_, **__): raise KeyError("a fault")
alone.parse_part = parse_part
"""
DISPATCHER_FAULT = """
import webhooks.services.dispatch.pipeline as pipeline
def prepare(*_, **__): raise KeyError("a fault")
pipeline.prepare = prepare
"""


@REHEARSALS.of(*POISONED)
def test_a_release_that_fails_on_messages(
    stack: Stack, client: PlatformClient, alarms: Alarms, on_call: OnCall
) -> None:
    faults = {"FanoutFunction": (FANOUT_FAULT, ""), "DispatcherFunction": (DISPATCHER_FAULT, "")}
    with Receiver() as receiver:
        webhook, name = register(client, receiver)
        before = now()
        with released(stack, faults):
            alarms.begin()
            with unread(stack, "EventsQueueUrl", "DeliveriesQueueUrl"):
                publish(stack, name, communityId=client.community)
                send(stack, "DeliveriesQueueUrl", packed(client, webhook["_id"], name))
                for queue in ("EventsQueueUrl", "DeliveriesQueueUrl"):
                    receive_often(stack, queue, 99)
            alarms.until_on(*POISONED)
            for queue in ("events", "deliveries"):
                listed = f'webhooks dlq list {queue} --reason "not processed"'
                letters = on_call.document("events-poisoned", listed)
                reasons = {each["reason"] for each in letters}
                assert reasons == {"not processed: KeyError after 100 receives"}

            on_call.run("events-poisoned", "webhooks rollback --before TIME", TIME=before)
            for queue in ("events", "deliveries"):
                line = f'webhooks dlq redrive {queue} --reason "not processed"'
                assert on_call.document("events-poisoned", line)["sent"] >= 1

            receiver.wait_for(2, seconds=SECONDS)
            settle(stack, seconds=SECONDS)
            alarms.begin()
            publish(stack, name, communityId=client.community)
            receiver.wait_for(3, seconds=SECONDS)
            alarms.until_off(*POISONED)


@REHEARSALS.of("messages-stuck", "messages-near-dlq", "deliveries-unrecorded")
def test_an_outage_of_the_tables(
    stack: Stack, client: PlatformClient, alarms: Alarms, on_call: OnCall
) -> None:
    stuck = ("messages-stuck", "messages-near-dlq")
    healthz = "webhooks call GET /healthz --no-auth"
    with Receiver() as receiver:
        _, name = register(client, receiver)
        receiver.script(reply(delay=4), reply())
        publish(stack, name, communityId=client.community)
        receiver.wait_for(1, seconds=SECONDS)
        with away(stack, TABLES):
            alarms.begin()
            with unread(stack, "EventsQueueUrl"):
                publish(stack, name, communityId=client.community)
                receive_often(stack, "EventsQueueUrl", 189)
            alarms.until_on(*stuck)
            mapping = mapping_of(stack, "EventsQueueUrl")
            stop = "aws lambda update-event-source-mapping --uuid UUID --no-enabled"
            on_call.run("messages-near-dlq", stop, UUID=mapping)
            assert [each for each in on_call.wrong() if "fanout does not read events" in each]
            on_call.run("deliveries-unrecorded", healthz, code=3)
            alarms.until_on("deliveries-unrecorded")
        on_call.run_until_well("deliveries-unrecorded", healthz)
        goes_on = "aws lambda update-event-source-mapping --uuid UUID --enabled"
        on_call.run("messages-near-dlq", goes_on, UUID=mapping)

        receiver.wait_for(2, seconds=SECONDS)
        settle(stack, seconds=SECONDS)
        alarms.begin()
        publish(stack, name, communityId=client.community)
        receiver.wait_for(3, seconds=SECONDS)
        alarms.until_off(*stuck, "deliveries-unrecorded")
        assert on_call.document("messages-stuck", "webhooks dlq redrive events --dry-run")["wouldSend"] == 0


@REHEARSALS.of("breakers-open")
def test_endpoints_that_are_down(
    stack: Stack, system: PlatformClient, alarms: Alarms, on_call: OnCall
) -> None:
    clients = [_client(system, f"tenant-{uuid.uuid4().hex[:8]}") for _ in range(3)]
    with Receiver() as receiver:
        receiver.script(reply(503))
        hooks = [register(each, receiver)[0] for each in clients]

        def health(client: PlatformClient, hook: dict[str, Any]) -> Any:
            return client.call("GET", f"webhook/{hook['_id']}").json["health"]

        def all_held() -> bool:
            for client, hook in zip(clients, hooks, strict=True):
                event = {"tenantId": client.tenant, "communityId": client.community}
                publish(stack, hook["name"], **event)
            return all(health(*each)["state"] == "held" for each in zip(clients, hooks, strict=True))

        eventually(all_held, "the breakers do not open")
        alarms.begin()
        invoke(stack, "MaintenanceFunction", CHECKS)
        alarms.until_on("breakers-open")
        shown = on_call.webhooks("status", "--json").document["unhealthyWebhooks"]["communities"]
        assert {each.tenant for each in clients} <= {each["tenantId"] for each in shown}

        receiver.script(reply())
        for client, hook in zip(clients, hooks, strict=True):
            ids = {"WEBHOOK": hook["_id"], "TENANT": client.tenant, "COMMUNITY": client.community}
            for word in ("true", "false"):
                line = f"""webhooks call PATCH webhook/WEBHOOK -d '{{"paused": {word}}}' --tenant TENANT --community COMMUNITY"""
                on_call.run("breakers-open", line, **ids)
        for each in zip(clients, hooks, strict=True):
            eventually(lambda each=each: health(*each)["state"] == "healthy", "a breaker stays open")  # type: ignore[misc]

        alarms.begin()
        invoke(stack, "MaintenanceFunction", CHECKS)
        alarms.until_off("breakers-open")


@REHEARSALS.of("schedule-silent")
def test_a_disabled_schedule(stack: Stack, alarms: Alarms, on_call: OnCall) -> None:
    rule = permissions.physical_id(stack, "MaintenanceFunctionChecks")
    stack.client("events").disable_rule(Name=rule)
    try:
        alarms.begin()
        alarms.until_on("schedule-silent")
        assert on_call.wrong()["maintenance is not called: its schedule checks is disabled"] == (
            on_call.sections["schedule-silent"].command("aws events enable-rule --name RULE", RULE=rule)
            + " --region us-east-1"
        )
        on_call.mend("its schedule checks is disabled")
    finally:
        stack.client("events").enable_rule(Name=rule)
    invoke(stack, "MaintenanceFunction", CHECKS)  # as the schedule does within five minutes
    alarms.until_off("schedule-silent")
    assert [each for each in on_call.wrong() if "schedule" in each] == []


@REHEARSALS.of("events-invalid", "events-dlq-age")
def test_invalid_events(stack: Stack, alarms: Alarms, on_call: OnCall) -> None:
    alarms.begin()
    send(stack, "EventsQueueUrl", *[json.dumps({"eventName": "no.tenant", "n": n}) for n in range(10)])
    alarms.until_on("events-invalid", "events-dlq-age")
    assert on_call.wrong().get("events-dlq has 10 messages") == "webhooks dlq list events", on_call.wrong()
    letters = on_call.document("events-invalid", "webhooks dlq list events")
    [reason] = {each["reason"] for each in letters}
    ended = on_call.run("events-invalid", "webhooks dlq show events MESSAGE", MESSAGE=letters[0]["messageId"])
    assert ended
    assert "no.tenant" in ended.stdout

    line = 'webhooks dlq purge events --reason "REASON"'
    assert on_call.document("events-invalid", f"{line} --dry-run", REASON=reason)["wouldDelete"] == 10
    assert on_call.document("events-invalid", f"{line} --yes", REASON=reason)["deleted"] == 10

    alarms.begin()
    alarms.until_off("events-invalid", "events-dlq-age")
    assert messages(on_call, "events-dlq") == 0


@REHEARSALS.of("recovery-dlq")
def test_a_task_that_is_none(stack: Stack, alarms: Alarms, on_call: OnCall) -> None:
    alarms.begin()
    send(stack, "RecoveryQueueUrl", "no task")
    alarms.until_on("recovery-dlq")
    [letter] = on_call.document("recovery-dlq", "webhooks dlq list recovery")
    assert "not a task" in letter["reason"]
    assert on_call.document("recovery-dlq", "webhooks dlq purge recovery --yes")["deleted"] == 1
    alarms.until_off("recovery-dlq")


AT_ONCE = "import webhooks.services.orphan_cleanup as cleanup; cleanup.GRACE = -60"


@REHEARSALS.of("orphan-cleanup-stopped")
def test_orphaned_secrets(stack: Stack, alarms: Alarms, on_call: OnCall) -> None:
    """A secret counts as an orphan after an hour; here at once."""
    secrets = stack.client("secretsmanager")
    prefix = stack.outputs["CredentialsPrefix"]
    described = stack.client("cloudformation").describe_stacks(StackName=prefix.partition("/")[0])
    tags = {
        "webhooks:table": stack.outputs["SubscriptionsTable"],
        "webhooks:stack": described["Stacks"][0]["StackId"],
    }
    pages = secrets.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": [prefix]}])
    others = sum(len(page["SecretList"]) for page in pages)
    names = [
        f"{prefix}acme/main/{uuid.uuid4().hex[:24]}-{uuid.uuid4().hex[:8]}" for _ in range(others // 5 + 1)
    ]
    for name in names:
        secrets.create_secret(
            Name=name, SecretString="{}", Tags=[{"Key": key, "Value": tags[key]} for key in tags]
        )
    with released(stack, {"MaintenanceFunction": (AT_ONCE, "")}):
        alarms.begin()
        invoke(stack, "MaintenanceFunction", CLEANUP)
        alarms.until_on("orphan-cleanup-stopped")
        for name in names:
            line = "aws secretsmanager delete-secret --secret-id NAME"
            on_call.run("orphan-cleanup-stopped", line, NAME=name)
        alarms.begin()
        assert invoke(stack, "MaintenanceFunction", CLEANUP)["failed"] is False
        alarms.until_off("orphan-cleanup-stopped")


ROUNDS = "X-Ministack-Invoke-Depth"


@REHEARSALS.of("recursive-drops")
def test_a_loop_detection_that_is_on(stack: Stack, alarms: Alarms, on_call: OnCall) -> None:
    functions = stack.client("lambda")
    name = permissions.physical_id(stack, "DispatcherFunction")
    # The emulator counts the rounds of a message in a header; the 17th is dropped.
    functions.meta.events.register(
        "before-sign.lambda.Invoke", lambda request, **_: request.headers.add_header(ROUNDS, "17")
    )
    event: dict[str, Any] = {"Records": []}
    functions.put_function_recursion_config(FunctionName=name, RecursiveLoop="Terminate")
    try:
        alarms.begin()
        with pytest.raises(functions.exceptions.RecursiveInvocationException):
            functions.invoke(FunctionName=name, Payload=json.dumps(event))
        alarms.until_on("recursive-drops")
        on_call.run(
            "recursive-drops",
            "aws lambda get-function-recursion-config --function-name FUNCTION",
            FUNCTION=name,
        )
        line = "aws lambda put-function-recursion-config --function-name FUNCTION --recursive-loop Allow"
        on_call.run("recursive-drops", line, FUNCTION=name)
    finally:
        functions.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    alarms.begin()
    functions.invoke(FunctionName=name, Payload=json.dumps(event))
    alarms.until_off("recursive-drops")
