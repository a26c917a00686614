"""Each permission of the functions is used, and each call that they make is permitted.

The calls of the suites before count too; this file alone brings about all but NOT_DRIVEN.
"""

import json
import secrets
import time
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from local.stack import Stack
from tests.e2e import calls_made
from tests.e2e.platform_client import PlatformClient
from tests.e2e.test_delivery import dead_letters, publish, register
from tests.e2e.test_permissions import disabled, eventually, invoke
from tests.receiver import Receiver, reply
from webhooks.adapters.dynamodb.delivery_log_items import item_key
from webhooks.adapters.dynamodb.items import key as item_of
from webhooks.adapters.dynamodb.keys import webhook_key
from webhooks.domain.delivery import Pack, delivery_of
from webhooks.domain.delivery_log import log_key
from webhooks.domain.delivery_message import encode_pack
from webhooks.domain.event import Event
from webhooks.domain.recovery_message import encode_task
from webhooks.domain.replay import WebhookCheck
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import sequence_of

pytestmark = pytest.mark.local_only("it needs the emulator's record of all calls and their decisions")

SECONDS = 40.0
DAYS = 6  # without a success: one more than the stack disables a webhook after
SETTLED = 3.0  # seconds, in which the log has what was sent
SLOW_PAGE = 10  # deliveries of a page at one per second
NOWHERE = "http://127.0.0.1:9/"
# Role, action and logical id of the resource of each permission that this file does not use, with the reason.
NOT_DRIVEN = {
    # Two changes of one webhook at the same time: the one that fails reads the webhook again.
    ("DispatcherRole", "dynamodb:GetItem", "SubscriptionsTable"),
    ("RecoveryRole", "dynamodb:GetItem", "SubscriptionsTable"),
    # A slice of an event with more listeners than one message takes: test_wide_event.py publishes one.
    ("FanoutRole", "sqs:SendMessage", "EventsQueue"),
    # A credential that is older than an hour, and has no webhook: test_permissions.py has one.
    ("MaintenanceRole", "secretsmanager:DeleteSecret", "credentials"),
    # A replay of delivered ones: their payloads are kept with KeepPayloads=All, which this stack does not have.
    ("RecoveryRole", "dynamodb:Query", "DeliveriesTable"),
    # More requests of a tenant than an environment lets through by itself: test_tenant_throttle.py sends them.
    ("EventsRole", "dynamodb:UpdateItem", "AccessTable"),
}
CALLS_NOTHING = {"EcdsaHelperRole", "ConsoleRole"}


def deliver_retry_and_disable(stack: Stack, system: PlatformClient) -> None:
    name = f"e2e.{secrets.token_hex(6)}"
    with Receiver() as receiver:
        receiver.script(reply(200), reply(500), reply(200), reply(410))
        api = {"url": receiver.url, "authType": "bearer", "credential": {"token": "first"}}
        body = {"eventNames": [name], "name": name, "tags": [name], "successCodes": [200], "retryCount": 1}
        webhook = system.call("PUT", "webhook", {**body, "rateLimit": 100, "api": api}).json["_id"]
        tested = system.call("POST", f"webhook/{webhook}/test", {})
        assert (tested.status, tested.json["outcome"]) == (200, "delivered")
        publish(stack, name, tenantId="")  # no tenant: to the dead letters
        publish(stack, name)
        receiver.wait_for(3, seconds=SECONDS)
        publish(stack, name)
        receiver.wait_for(4, seconds=SECONDS)
        assert eventually(lambda: disabled(system, name))
    assert system.call("GET", f"webhook/{webhook}/secret").status == 200
    assert "errorMessage" not in invoke(stack, "MaintenanceFunction")
    changed = system.call("PATCH", f"webhook/{webhook}", {"api": {"credential": {"token": "second"}}})
    assert changed.status == 200
    assert system.call("DELETE", f"webhook/{webhook}").status == 204


def publish_a_pack_twice(stack: Stack, system: PlatformClient) -> None:
    """Two events in one message share a pack, and a mark; the repeat is not sent."""
    with Receiver() as receiver:
        _, name = register(system, receiver)
        scope = {"tenantId": "acme", "communityId": "main", "occurredAt": "2026-01-15T09:30:00.250Z"}
        ids = [secrets.token_hex(6) for _ in range(2)]
        events = [{**scope, "eventId": each, "eventName": name, "data": {}} for each in ids]
        sqs, url = stack.client("sqs"), stack.outputs["EventsQueueUrl"]
        for count in (2, 3):  # the last event alone comes after the repeat
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(events), MessageGroupId="acme")
            if count == 3:
                time.sleep(SETTLED)
                publish(stack, name)
            receiver.wait_for(count, seconds=SECONDS)
            time.sleep(SETTLED)
        sent = [json.loads(each.body)["id"] for each in receiver.requests]
    assert sorted(sent[:2]) == sorted(ids)
    assert len(sent) == 3


def undelivered(system: PlatformClient, webhook: str) -> list[dict[str, Any]]:
    page = system.call("POST", f"webhook/{webhook}/deliveries/fetch", {"outcome": "dead"})
    assert page.status == 200, page.body
    found: list[dict[str, Any]] = page.json["data"]
    return found


def replay_and_cancel(stack: Stack, system: PlatformClient) -> None:
    """A delivery is sent again by its id, and of the others, by a filter, the first page."""
    with Receiver() as receiver:
        receiver.script(reply(400))  # not tried again, and no sign that the endpoint is down
        webhook, name = register(system, receiver)
        for _ in range(1 + SLOW_PAGE + 1):
            publish(stack, name)
        assert eventually(lambda: len(undelivered(system, webhook["_id"])) == 1 + SLOW_PAGE + 1)
        receiver.script(reply(200))
        sent = len(receiver.requests)
        one = undelivered(system, webhook["_id"])[0]["deliveryId"]
        assert system.call("GET", f"delivery/{one}").json["outcome"] == "dead"

        first = replay(system, {"deliveryIds": [one]})
        receiver.wait_for(sent + 1, seconds=SECONDS)
        assert eventually(lambda: len(undelivered(system, webhook["_id"])) == SLOW_PAGE + 1)
        second = replay(system, {"webhookId": webhook["_id"], "outcome": "dead", "rate": 1})
        receiver.wait_for(sent + 2, seconds=SECONDS)
        assert system.call("DELETE", f"replay/{second}").json["state"] == "cancelled"

        receiver.wait_for(sent + 1 + SLOW_PAGE, seconds=SECONDS)
        assert eventually(lambda: system.call("GET", f"replay/{second}").json["sent"] == SLOW_PAGE)
        assert eventually(lambda: len(undelivered(system, webhook["_id"])) == 1)
    assert system.call("POST", "deliveries/fetch", {}).status == 200
    assert {first, second} <= {each["replayId"] for each in system.call("GET", "replays").json["data"]}


def replay(system: PlatformClient, asked: dict[str, Any]) -> str:
    begun = system.call("POST", "deliveries/replay", asked)
    assert begun.status == 202, begun.body
    replay_id: str = begun.json["replayId"]
    return replay_id


def fail_and_recover(stack: Stack, system: PlatformClient) -> None:
    with Receiver() as receiver:
        receiver.script(reply(503), reply(200))
        webhook, name = register(system, receiver, retryCount=0)
        publish(stack, name)
        receiver.wait_for(2, seconds=SECONDS)  # the second one is a probe
    path = f"webhook/{webhook['_id']}"
    well = ("healthy", "slow")  # a function that starts on a busy machine can take a second for an attempt
    assert eventually(lambda: system.call("GET", path).json["health"]["state"] in well)

    def is_recovering() -> bool:
        replays = system.call("GET", "replays").json["data"]
        return any(each["kind"] == "recovery" for each in replays)

    assert eventually(is_recovering)


def disable_what_fails_for_days(stack: Stack, system: PlatformClient) -> None:
    """A webhook fails; its item is made to say that this began days ago, and that the probe's task was lost."""
    name, scope = f"e2e.{secrets.token_hex(6)}", Scope(system.tenant, system.community)
    body = {"eventNames": [name], "name": name, "tags": [name], "successCodes": [200], "retryCount": 0}
    webhook = system.call("PUT", "webhook", {**body, "api": {"url": NOWHERE}}).json["_id"]
    publish(stack, name)
    assert eventually(lambda: system.call("GET", f"webhook/{webhook}").json["health"]["state"] == "failing")
    [dead] = undelivered(system, webhook)
    now, sequence = int(time.time() * 1000), sequence_of(webhook)
    assert sequence is not None
    stack.client("dynamodb").update_item(
        TableName=stack.outputs["SubscriptionsTable"],
        Key=webhook_key(scope, sequence),
        UpdateExpression="SET failingSince = :since, probeAt = :since",
        ExpressionAttributeValues={":since": {"N": str(now - DAYS * 86_400_000)}},
    )

    assert invoke(stack, "MaintenanceFunction", task="checks")["sent"] >= 1

    assert eventually(lambda: disabled(system, name))
    assert system.call("DELETE", f"webhook/{webhook}").status == 204
    send_task(stack, encode_task(WebhookCheck(scope, webhook)))  # as the deletion does, but a minute later
    shown = f"delivery/{dead['deliveryId']}"
    assert eventually(lambda: system.call("GET", shown).json["reason"] == "the webhook was deleted")


def dead_letter_a_task(stack: Stack) -> None:
    text = json.dumps({"task": secrets.token_hex(6)})
    send_task(stack, text)
    assert "not a task" in dead_letters(stack, "RecoveryDlqUrl", text)[1]


def look_for_a_delivery(stack: Stack) -> None:
    """A delivery of the slow lane that was never tried is looked for among those that share items of the log."""
    webhook_id = secrets.token_hex(12)
    event = Event(secrets.token_hex(6), "e2e.looked_for", Scope("acme", "main"), 1_768_469_400_250, {}, "{}")
    made = delivery_of(event, webhook_id)
    text = encode_pack(Pack(webhook_id, event.scope, (made,)))
    queue = stack.outputs["SlowDeliveriesQueueUrl"]
    stack.client("sqs").send_message(QueueUrl=queue, MessageBody=text, MessageGroupId="acme")
    pk, sk = item_key(log_key(webhook_id, made))
    table = stack.outputs["DeliveriesTable"]
    assert eventually(
        lambda: "Item" in stack.client("dynamodb").get_item(TableName=table, Key=item_of(pk, sk))
    )


def send_task(stack: Stack, text: str) -> None:
    stack.client("sqs").send_message(QueueUrl=stack.outputs["RecoveryQueueUrl"], MessageBody=text)


def publish_and_explain(system: PlatformClient) -> None:
    published = system.call("PUT", "event/e2e.unheard", {"data": {}})
    assert published.status == 202
    explained = system.call(
        "POST", "events/explain", {"eventId": published.json["eventId"], "eventName": "e2e.unheard"}
    )
    assert explained.status == 200


def show_health(system: PlatformClient) -> None:
    body = {"eventNames": ["e2e.paused"], "name": "paused", "successCodes": [200], "paused": True}
    webhook = system.call("PUT", "webhook", {**body, "api": {"url": NOWHERE}}).json["_id"]
    for path in (f"webhook/{webhook}", f"webhook/{webhook}/series", "health", "/communities"):
        assert system.call("GET", path).status == 200
    assert system.call("POST", "webhooks/fetch", {"state": "paused"}).status == 200
    assert system.call("POST", "webhooks/health", {"webhookIds": [webhook]}).status == 200
    assert system.call("POST", f"webhook/{webhook}/secret/rotate").status == 200
    assert system.call("PATCH", f"webhook/{webhook}", {"paused": False}).status == 200
    assert system.call("DELETE", f"webhook/{webhook}").status == 204


def begin_a_community(system: PlatformClient) -> None:
    client = replace(system, community=f"e2e-{secrets.token_hex(6)}")
    body = {"eventNames": ["e2e.first"], "name": "first", "successCodes": [200], "api": {"url": NOWHERE}}
    assert client.call("PUT", "webhook", body).status == 200


def reset_every_key(system: PlatformClient) -> None:
    client = PlatformClient(system.api_url, system.license_key)
    service, signing = client.call("GET", "/servicekeys").json
    for key in (signing, service):  # the service's own last: the client authenticates by it
        assert client.call("DELETE", f"/servicekey/{quote(key['keyId'], safe='')}").status == 200


def test_every_permission_is_used_and_every_call_is_permitted(stack: Stack, system: PlatformClient) -> None:
    assert system.plain("GET", "/healthz").status == 200
    deliver_retry_and_disable(stack, system)
    publish_a_pack_twice(stack, system)
    publish_and_explain(system)
    show_health(system)
    begin_a_community(system)
    replay_and_cancel(stack, system)
    fail_and_recover(stack, system)
    disable_what_fails_for_days(stack, system)
    dead_letter_a_task(stack)
    look_for_a_delivery(stack)
    reset_every_key(system)

    allowed, used = calls_made.allowed(stack), calls_made.used(stack)

    assert {each for each in used if not calls_made.is_allowed(each, allowed)} == set()
    recorded = {each for each in allowed if calls_made.is_recorded(each, allowed)}
    unused = {each for each in recorded if not calls_made.is_used(each, used)}
    assert {calls_made.by_logical_id(stack, each) for each in unused} <= NOT_DRIVEN
    assert {each.role for each in used} | CALLS_NOTHING == set(calls_made.roles(stack))
