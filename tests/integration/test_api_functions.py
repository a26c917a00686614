"""The API's functions as the bootstrap composes them, over an AWS in memory: storage, secrets, queues, licenses."""

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.aws_stub.faulty_clients import FaultyClients, fail, forever
from tests.contract.backends import Backend, backend_named
from tests.contract.credential_stores import make_key
from tests.contract.logged import entry
from tests.factories import (
    BASE,
    COMMUNITY,
    SCOPE,
    SERVICE_CALLER,
    SYSTEM,
    TENANT,
    ApiResponse,
    Client,
    api_event,
    owner,
    read_response,
    webhook_body,
)
from tests.lambda_functions import ENVIRONMENT, FUNCTIONS, load_function
from webhooks.adapters.dynamodb.delivery_log import DynamoDeliveryLog
from webhooks.adapters.sqs.event_publisher import SqsEventPublisher
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.errors import UnavailableError
from webhooks.domain.event import parse_event
from webhooks.domain.recovery_message import decode_task
from webhooks.domain.replay import WebhookCheck
from webhooks.domain.scope import Scope
from webhooks_cli.aws import Account as OperatorAccount
from webhooks_cli.license import License
from webhooks_cli.register import LicenseRegister

API = {
    "url": "https://93.184.216.34/in",  # an address, so that nothing has to be resolved
    "authType": "basic",
    "credential": {"username": "u", "password": "p"},
}


class Account(OperatorAccount):
    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self.dynamodb = dynamodb
        self.table = table

    def find(self, name: str) -> str:
        assert name == "accessTable"
        return self.table


FUNCTIONS_OF_THE_API = (
    *("webhooks", "deliveries", "test_event", "events", "service_keys", "ecdsa_helper", "discovery"),
    "console",
)


class Deployed:
    """The functions of the API with the resources that the template makes for them."""

    def __init__(self, backend: Backend, **variables: str) -> None:
        seed = json.dumps({"seed": secrets.token_hex(32)})
        self.environment = ENVIRONMENT | {
            "SUBSCRIPTIONS_TABLE": backend.table("subscriptions"),
            "ACCESS_TABLE": backend.table("access", sorted_by=None),
            "DELIVERIES_TABLE": backend.table("deliveries"),
            "SERVICE_KEYS_SECRET": backend.secret("service-keys", seed),
            "SIGNING_KEYS_SECRET": backend.secret("signing-keys", seed),
            "WEBHOOK_MASTER_SECRET": backend.secret("webhook-master", seed),
            "EVENTS_QUEUE_URL": backend.queue("events"),
            "DELIVERIES_QUEUE_URL": backend.queue("deliveries"),
            "SLOW_DELIVERIES_QUEUE_URL": backend.queue("slow-deliveries"),
            "RECOVERY_QUEUE_URL": backend.queue("recovery"),
            **variables,
        }
        register = LicenseRegister(Account(backend.clients.dynamodb, self.environment["ACCESS_TABLE"]))
        register.issue(SYSTEM.license_key, License("system"), now=1)
        register.issue(SERVICE_CALLER.license_key, License("service", TENANT, COMMUNITY), now=1)
        functions = {name: load_function(name, self.environment) for name in FUNCTIONS_OF_THE_API}
        self.handlers = {name: function.lambda_handler for name, function in functions.items()}
        self.apps = {name: function.app for name, function in functions.items() if hasattr(function, "app")}
        self.public_key = self.call("GET", "/publickeys", by=None).json["publicKey"]

    def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        by: Client | None = SYSTEM,
        **more: str,
    ) -> ApiResponse:
        headers = by.headers(self.public_key, ts=time.time(), **more) if by else {}
        text = None if body is None else json.dumps(body)
        event = api_event(method, path, headers=headers, body=text)
        return read_response(self.handlers[owner(path)](event, None))


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with backend_named("moto") as backend:
        yield Deployed(backend)


def test_an_event_is_published_to_the_queue_in_its_communitys_group(deployed: Deployed) -> None:
    published = deployed.call(
        "PUT", f"{BASE}/event/order%2Fpaid", {"data": {"n": 1}, "occurredAt": 1}, by=SERVICE_CALLER
    )
    assert published.status == 202, published.text
    sqs, url = deployed.apps["events"].aws.sqs, deployed.environment["EVENTS_QUEUE_URL"]
    [message] = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["MessageGroupId"])["Messages"]
    event = parse_event(message["Body"], message_id="m", sent_at=0)
    assert (event.id, event.name, event.scope) == (published.json["eventId"], "order/paid", SCOPE)
    assert message["Attributes"]["MessageGroupId"] == SCOPE.fairness_group


def test_the_log_is_read_as_the_dispatcher_wrote_it(deployed: Deployed) -> None:
    webhook_id = deployed.call("PUT", f"{BASE}/webhook", webhook_body(api=API)).json["_id"]
    aws, table = deployed.apps["deliveries"].aws, deployed.environment["DELIVERIES_TABLE"]
    entries = [
        entry(number, Outcome.DEAD if number % 2 else Outcome.DELIVERED, webhook_id=webhook_id, scope=SCOPE)
        for number in range(6)
    ]
    assert DynamoDeliveryLog(aws, table, days=30).record(entries) == []

    log = f"{BASE}/webhook/{webhook_id}/deliveries/fetch"
    first = deployed.call("POST", log, {"size": 4}, by=SERVICE_CALLER).json
    rest = deployed.call("POST", log, {"size": 4, "cursor": first["cursor"]}, by=SERVICE_CALLER).json
    shown = [*first["data"], *rest["data"]]
    assert [each["deliveryId"] for each in shown] == [each.delivery.id for each in reversed(entries)]
    assert "cursor" not in rest

    dead = deployed.call("POST", log, {"outcome": "dead"}).json["data"]
    assert dead == deployed.call("POST", f"{BASE}/deliveries/fetch").json["data"] == shown[::2]
    one = deployed.call("GET", f"{BASE}/delivery/{dead[0]['deliveryId']}").json
    assert one["payload"] == {"id": "event 5"}


def test_credentials_are_sealed_in_their_webhooks_where_the_deployment_says_so() -> None:
    with backend_named("moto") as backend:
        deployed = Deployed(backend, CREDENTIAL_STORE="Table", KMS_KEY_ID=make_key(backend))
        created = deployed.call("PUT", f"{BASE}/webhook", webhook_body(api=API))
        assert created.status == 200
        path = f"{BASE}/webhook/{created.json['_id']}"
        table = deployed.environment["SUBSCRIPTIONS_TABLE"]

        def stored() -> list[dict[str, Any]]:
            items = deployed.apps["webhooks"].aws.dynamodb.scan(TableName=table)["Items"]
            return [item for item in items if item["sk"]["S"].startswith("W#")]

        [item] = stored()
        assert {"credentialSealed", "v"} <= set(item)
        assert "credentialSecret" not in item
        assert "credential" in deployed.call("POST", f"{BASE}/webhooks/fetch", {}).json["data"][0]["api"]

        api = {"authType": "bearer", "credential": {"token": "t"}}
        assert deployed.call("PATCH", path, {"api": api}).status == 200
        assert stored()[0]["credentialSealed"] != item["credentialSealed"]
        assert deployed.call("PATCH", path, {"api": {"authType": "none"}}).status == 200
        assert not {"credentialSealed", "v"} & set(stored()[0])
        listed = backend.clients.secrets.list_secrets()["SecretList"]
        assert not [each for each in listed if created.json["_id"] in each["Name"]]


def test_an_event_is_explained_from_the_index_the_webhooks_and_the_log(deployed: Deployed) -> None:
    made = [
        deployed.call("PUT", f"{BASE}/webhook", webhook_body(api=API, eventNames=["E_EXPLAIN"], **more)).json
        for more in ({}, {"query": [{"a.b": 2}]}, {"disabled": True})
    ]
    event = {
        "eventName": "E_EXPLAIN",
        "eventId": "e",
        "tenantId": TENANT,
        "communityId": COMMUNITY,
        "occurredAt": 1_768_469_400,
        "data": {"a": [{"b": 1}]},
    }
    explained = deployed.call("POST", f"{BASE}/events/explain", {"event": event}, by=SERVICE_CALLER)
    assert explained.status == 200, explained.text
    assert [(one["webhookId"], one["result"]) for one in explained.json["webhooks"]] == [
        (made[0]["_id"], "matched"),
        (made[1]["_id"], "filtered"),
        (made[2]["_id"], "disabled"),
    ]
    assert explained.json["webhooks"][1]["conditions"] == [
        {"object": 0, "field": "a.b", "wanted": 2, "found": [1]}
    ]
    nothing = deployed.call("POST", f"{BASE}/events/explain", {"eventId": "e", "eventName": "E_NONE"})
    assert "E_EXPLAIN" in nothing.json["listenedNames"]


def test_without_the_queue_a_publication_is_not_accepted(deployed: Deployed) -> None:
    publisher = SqsEventPublisher(
        FaultyClients(deployed.apps["events"].aws, send_message=forever(fail("InternalError"))), "queue"
    )
    with pytest.raises(UnavailableError):
        publisher.publish(SCOPE, "{}")


def test_a_webhook_lives_from_its_creation_to_its_end(deployed: Deployed) -> None:
    created = deployed.call("PUT", f"{BASE}/webhook", webhook_body(api=API, tags=["life"]))
    assert created.status == 200, created.text
    credential = created.json["api"]["credential"]
    assert SYSTEM.open(deployed.public_key, credential["password"]) == "p"
    one = f"{BASE}/webhook/{created.json['_id']}"
    changed = deployed.call(
        "PATCH", one, {"name": "other", "api": {"credential": {"username": "u", "password": "p2"}}}
    )
    assert changed.status == 200, changed.text
    found = deployed.call("POST", f"{BASE}/webhooks/fetch", {"tags": ["life"]}).json
    assert found["page"]["total"] == 1
    assert SYSTEM.open(deployed.public_key, found["data"][0]["api"]["credential"]["password"]) == "p2"
    seen = deployed.call("POST", f"{BASE}/webhooks/fetch", {"tags": ["life"]}, by=SERVICE_CALLER).json
    assert "credential" not in seen["data"][0]["api"]
    secret = deployed.call("GET", f"{one}/secret", by=SERVICE_CALLER).json["signingSecret"]
    assert SERVICE_CALLER.open(deployed.public_key, secret).startswith("whsec_")
    assert deployed.call("DELETE", one).status == 204
    assert deployed.call("DELETE", one).status == 404
    assert deployed.call("POST", f"{BASE}/webhooks/fetch", {"tags": ["life"]}).json["page"]["total"] == 0


def test_a_webhook_is_paused_found_and_resumed_and_its_secret_rotated(deployed: Deployed) -> None:
    community = "/tenant/acme/community/health"
    created = deployed.call("PUT", f"{community}/webhook", webhook_body(api=API, name="to pause"))
    webhook_id, one = created.json["_id"], f"{community}/webhook/{created.json['_id']}"
    assert deployed.call("PATCH", one, {"paused": True}).json["paused"]
    found = deployed.call("POST", f"{community}/webhooks/fetch", {"state": "paused", "name": "to "}).json
    assert [each["_id"] for each in found["data"]] == [webhook_id]
    shown = deployed.call("GET", one).json
    assert SYSTEM.open(deployed.public_key, shown["api"]["credential"]["password"]) == "p"
    assert [each["reason"] for each in shown["health"]["changes"]] == ["paused by its tenant"]
    listed = deployed.call("POST", f"{community}/webhooks/health", {"webhookIds": [webhook_id]}).json["data"]
    assert [(each["state"], each["deliveries"]) for each in listed] == [("paused", [])]
    states = deployed.call("GET", f"{community}/health").json
    assert (states["webhooks"]["paused"], states["undelivered"]["held"], states["isExact"]) == (1, 0, True)
    assert deployed.call("GET", f"{one}/series").json["buckets"] == []
    assert {"tenantId": "acme", "communityId": "health"} in deployed.call("GET", "/communities").json["data"]

    assert "paused" not in deployed.call("PATCH", one, {"paused": False}).json
    sqs, url = deployed.apps["webhooks"].aws.sqs, deployed.environment["RECOVERY_QUEUE_URL"]
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    assert decode_task(message["Body"]) == WebhookCheck(Scope("acme", "health"), webhook_id)
    assert deployed.call("POST", f"{community}/webhooks/fetch", {"state": "paused"}).json["data"] == []
    secrets_shown = [
        deployed.call("GET", f"{one}/secret").json,
        deployed.call("POST", f"{one}/secret/rotate").json,
    ]
    before, after = (SYSTEM.open(deployed.public_key, each["signingSecret"]) for each in secrets_shown)
    assert before != after
    assert (
        SYSTEM.open(deployed.public_key, deployed.call("GET", f"{one}/secret").json["signingSecret"]) == after
    )


def test_an_exact_repeat_is_answered_from_its_record(deployed: Deployed) -> None:
    body = webhook_body(api={"url": "https://93.184.216.34/"}, tags=["repeat"])
    first, second = (deployed.call("PUT", f"{BASE}/webhook", body, uuid="twice") for _ in range(2))
    assert first.text == second.text
    assert deployed.call("POST", f"{BASE}/webhooks/fetch", {"tags": ["repeat"]}).json["page"]["total"] == 1


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://127.0.0.1/", "loopback"),
        ("https://169.254.169.254/latest", "metadata"),
        ("https://[::ffff:10.0.0.1]/", "private"),
        ("https://0x7f.1/", "loopback"),
        ("https://93.184.216.34:8443/", "port"),
        ("http://93.184.216.34/", "https"),
    ],
)
def test_an_endpoint_that_the_guard_refuses_is_refused_at_save(
    deployed: Deployed, url: str, reason: str
) -> None:
    response = deployed.call("PUT", f"{BASE}/webhook", webhook_body(api={"url": url}))
    assert response.status == 400
    assert response.message.startswith("api.url: ")
    assert reason in response.message


def test_unknown_webhooks_are_a_404_in_any_spelling(deployed: Deployed) -> None:
    for webhook_id in ("0" * 24, "f" * 24, "x", "y" * 3000):
        assert deployed.call("GET", f"{BASE}/webhook/{webhook_id}/secret").status == 404


def test_every_discovery_path_responds(deployed: Deployed) -> None:
    for path in (
        "/healthz",
        "/environment",
        "/.well-known",
        "/.well-known/jwks.json",
        "/sd",
        "/docs",
        "/console",
    ):
        assert deployed.call("GET", path, by=None).status == 200
    assert deployed.call("GET", "/healthz", by=None).json["status"] == "all services operational"


@pytest.mark.parametrize(
    ("variable", "service"),
    [
        ("SUBSCRIPTIONS_TABLE", "dynamodb"),
        ("DELIVERIES_TABLE", "dynamodb"),
        ("ACCESS_TABLE", "dynamodb"),
        ("EVENTS_QUEUE_URL", "sqs"),
        ("DELIVERIES_QUEUE_URL", "sqs"),
        ("SLOW_DELIVERIES_QUEUE_URL", "sqs"),
        ("SERVICE_KEYS_SECRET", "secrets manager"),
        ("SIGNING_KEYS_SECRET", "secrets manager"),
    ],
)
def test_the_health_check_names_a_missing_service(variable: str, service: str) -> None:
    with backend_named("moto") as backend:
        deployed = Deployed(backend)
        aws, gone = backend.clients, deployed.environment[variable]
        if service == "dynamodb":
            aws.dynamodb.delete_table(TableName=gone)
        elif service == "sqs":
            aws.sqs.delete_queue(QueueUrl=gone)
        else:
            aws.secrets.delete_secret(SecretId=gone, ForceDeleteWithoutRecovery=True)
        response = deployed.call("GET", "/healthz", by=None)
    assert (response.status, response.json["status"]) == (503, f"unavailable: {service}")


def test_an_unreachable_license_service_admits_no_caller() -> None:
    with backend_named("moto") as backend:
        deployed = Deployed(backend, LICENSES_URL="http://127.0.0.1:9")  # no server listens there
        assert deployed.call("GET", f"{BASE}/webhook/{'0' * 24}/secret").status == 503
        assert deployed.call("GET", "/servicekeys").status == 200, (
            "the deployment's own licenses decide there"
        )
        assert deployed.call("GET", "/healthz", by=None).status == 200


def test_keys_are_reset_in_their_secret(deployed: Deployed) -> None:
    before = deployed.call("GET", "/servicekeys").json
    assert [key["tag"] for key in before] == ["service", "signing"]
    signing = before[1]["keyId"].replace("/", "%2F")
    fresh = deployed.call("DELETE", f"/servicekey/{signing}").json
    after = deployed.call("GET", "/servicekeys").json
    assert fresh[0]["keyId"] == after[1]["keyId"] != before[1]["keyId"]
    assert deployed.call("DELETE", f"/servicekey/{signing}").status == 404


IMPORTS = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("app", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(*sorted(sys.modules))
"""


@pytest.mark.parametrize(
    ("name", "unwanted"),
    [
        ("webhooks", {"boto3", "coincurve", "aws_xray_sdk", "tools.openapi"}),
        ("deliveries", {"boto3", "coincurve", "aws_xray_sdk", "tools.openapi"}),
        ("service_keys", {"boto3", "coincurve", "pydantic", "aws_xray_sdk"}),
        ("ecdsa_helper", {"boto3", "botocore.session", "coincurve", "urllib3", "aws_xray_sdk"}),
        ("discovery", {"boto3", "coincurve", "pydantic", "aws_xray_sdk", "tools.openapi"}),
    ],
)
def test_a_function_imports_only_needed_modules(name: str, unwanted: set[str]) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", IMPORTS, str(FUNCTIONS / name / "app.py")],
        env=ENVIRONMENT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split()
    assert unwanted & set(loaded) == set()
