"""Each permission of the functions is used, and each call that they make is permitted.

The calls of the suites before count too; this file alone brings about all but NOT_DRIVEN.
"""

import secrets
from urllib.parse import quote

from local.stack import Stack
from tests.e2e import calls_made
from tests.e2e.platform_client import PlatformClient
from tests.e2e.test_delivery import publish
from tests.e2e.test_permissions import disabled, eventually, invoke
from tests.receiver import Receiver, reply

SECONDS = 40.0
# Role, action and logical id of the resource of each permission that this file does not use, with the reason.
NOT_DRIVEN = {
    # Two changes of one webhook at the same time: the one that fails reads the webhook again.
    ("DispatcherRole", "dynamodb:GetItem", "SubscriptionsTable"),
    # A slice of an event with more listeners than one message takes: test_wide_event.py publishes one.
    ("FanoutRole", "sqs:SendMessage", "EventsQueue"),
    # A credential that is older than an hour, and has no webhook: test_permissions.py has one.
    ("MaintenanceRole", "dynamodb:BatchGetItem", "SubscriptionsTable"),
    ("MaintenanceRole", "secretsmanager:DeleteSecret", "credentials"),
    # Held deliveries that are counted: test_health.py has some.
    ("WebhooksRole", "dynamodb:Query", "DeliveriesTable/webhookUndelivered"),
}


def deliver_retry_and_disable(stack: Stack, system: PlatformClient) -> None:
    name = f"e2e.{secrets.token_hex(6)}"
    with Receiver() as receiver:
        receiver.script(reply(500), reply(200), reply(410))
        api = {"url": receiver.url, "authType": "bearer", "credential": {"token": "first"}}
        body = {"eventNames": [name], "name": name, "tags": [name], "successCodes": [200], "retryCount": 1}
        webhook = system.call("PUT", "webhook", {**body, "api": api}).json["_id"]
        publish(stack, name, tenantId="")  # no tenant: to the dead letters
        publish(stack, name)
        receiver.wait_for(2, seconds=SECONDS)
        publish(stack, name)
        receiver.wait_for(3, seconds=SECONDS)
    assert eventually(lambda: disabled(system, name))
    assert system.call("GET", f"webhook/{webhook}/secret").status == 200
    assert "errorMessage" not in invoke(stack, "MaintenanceFunction")
    changed = system.call("PATCH", f"webhook/{webhook}", {"api": {"credential": {"token": "second"}}})
    assert changed.status == 200
    assert system.call("DELETE", f"webhook/{webhook}").status == 204


def publish_and_explain(system: PlatformClient) -> None:
    published = system.call("PUT", "event/e2e.unheard", {"data": {}})
    assert published.status == 202
    explained = system.call(
        "POST", "events/explain", {"eventId": published.json["eventId"], "eventName": "e2e.unheard"}
    )
    assert explained.status == 200


def show_health(system: PlatformClient) -> None:
    body = {"eventNames": ["e2e.paused"], "name": "paused", "successCodes": [200], "paused": True}
    webhook = system.call("PUT", "webhook", {**body, "api": {"url": "http://127.0.0.1:9/"}}).json["_id"]
    for path in (f"webhook/{webhook}", f"webhook/{webhook}/series", "health", "/communities"):
        assert system.call("GET", path).status == 200
    assert system.call("POST", "webhooks/fetch", {"state": "paused"}).status == 200
    assert system.call("POST", "webhooks/health", {"webhookIds": [webhook]}).status == 200
    assert system.call("POST", f"webhook/{webhook}/secret/rotate").status == 200
    assert system.call("PATCH", f"webhook/{webhook}", {"paused": False}).status == 200
    assert system.call("DELETE", f"webhook/{webhook}").status == 204


def reset_every_key(system: PlatformClient) -> None:
    client = PlatformClient(system.api_url, system.license_key)
    service, signing = client.call("GET", "/servicekeys").json
    for key in (signing, service):  # the service's own last: the client authenticates by it
        assert client.call("DELETE", f"/servicekey/{quote(key['keyId'], safe='')}").status == 200


def test_every_permission_is_used_and_every_call_is_permitted(stack: Stack, system: PlatformClient) -> None:
    assert system.plain("GET", "/healthz").status == 200
    deliver_retry_and_disable(stack, system)
    publish_and_explain(system)
    show_health(system)
    reset_every_key(system)

    allowed, used = calls_made.allowed(stack), calls_made.used(stack)

    assert {each for each in used if not calls_made.is_allowed(each, allowed)} == set()
    recorded = {each for each in allowed if calls_made.is_recorded(each, allowed)}
    unused = {each for each in recorded if not calls_made.is_used(each, used)}
    assert {calls_made.by_logical_id(stack, each) for each in unused} <= NOT_DRIVEN
    assert {each.role for each in used} | {"EcdsaHelperRole"} == set(calls_made.roles(stack))
