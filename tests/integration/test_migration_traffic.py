"""Deliveries while `webhooks credentials migrate` runs, and while KMS does not respond: none loses its credential."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tests.aws_stub.faulty_clients import FaultyClients, Replacement, fail, forever, lose_response, time_out
from tests.contract.backends import Backend, backend_named
from tests.integration.backups import Deployment, calls_seen
from tests.lambda_functions import ENVIRONMENT, LOOPBACK
from tests.receiver import Receiver
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.batch_reader import DynamoBatchReader
from webhooks.bootstrap import dispatcher
from webhooks.bootstrap.dispatcher import DispatcherApp
from webhooks.domain.delivery import Delivery, Pack, delivery_id
from webhooks.domain.delivery_message import encode_pack
from webhooks.domain.lane import Lane
from webhooks.domain.webhook import AuthType, Credential, Endpoint, Webhook
from webhooks.services.dispatch.stages import DeliveryMessage

AT = 1_789_000_000_000
SEED = json.dumps({"seed": "s" * 64})
QUEUES = ("DELIVERIES", "SLOW_DELIVERIES", "EVENTS", "RECOVERY")
WAYS = ["table", "secrets-manager"]


class Traffic:
    """A deployment with two authenticated webhooks, and dispatchers that send to an endpoint on this machine."""

    def __init__(
        self, backend: Backend, receiver: Receiver, folder: Path, monkeypatch: pytest.MonkeyPatch, *, to: str
    ) -> None:
        self.backend, self.receiver, self.to = backend, receiver, to
        self.deployment = Deployment(backend, "one", folder / "one", seals=to != "table")
        self.deployment.command.now = time.time()
        self.dead = backend.queue("deliveries-dlq")
        environment = {
            **ENVIRONMENT,
            **LOOPBACK,
            **{f"{name}_QUEUE_URL": backend.queue(name.lower()) for name in QUEUES},
            "DELIVERIES_DLQ_URL": self.dead,
            "SUBSCRIPTIONS_TABLE": self.deployment.subscriptions_table,
            "ACCESS_TABLE": self.deployment.access_table,
            "DELIVERIES_TABLE": self.deployment.deliveries_table,
            "SERVICE_KEYS_SECRET": backend.secret("service", SEED),
            "SIGNING_KEYS_SECRET": backend.secret("signing", SEED),
            "WEBHOOK_MASTER_SECRET": backend.secret("master", SEED),
            "CREDENTIALS_PREFIX": self.deployment.prefix,
            "KMS_KEY_ID": self.deployment.key,
            "FAST_LANE_SECONDS": "4",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        self.webhooks = [
            self.deployment.add(
                credential=Credential(token=token),
                endpoint=Endpoint(f"{receiver.url}/{token}", auth_type=AuthType.BEARER),
                rate_limit=None,
            )
            for token in ("one", "other")
        ]
        self.deployment.seals = to == "table"
        self.sent = 0
        self.apps: list[DispatcherApp] = []

    def dispatcher(self, aws: AwsClients | None = None) -> DispatcherApp:
        """Return a dispatcher that has read nothing yet."""
        app = dispatcher.compose(aws=aws or FaultyClients(self.backend.clients))
        self.apps.append(app)
        return app

    def message(self, webhook: Webhook) -> DeliveryMessage:
        self.sent += 1
        event = f"e{self.sent}"
        one = Delivery(
            delivery_id(event, webhook.id, log_time=AT), event, "order.paid", AT, json.dumps({"id": event})
        )
        return DeliveryMessage(event, encode_pack(Pack(webhook.id, webhook.scope, (one,))), 1, event)

    def deliver(self, app: DispatcherApp) -> int:
        """Send a delivery of each webhook, as often as its message comes again; return how often it did.

        By the slow lane: on a busy machine the fast one would leave a slow endpoint to it.
        """
        again = 0
        for message in map(self.message, self.webhooks):
            while app.dispatcher.dispatch([message], Lane.SLOW):
                again += 1
                assert again < 6
        return again

    def migrate(self) -> None:
        moved = self.deployment.run("credentials", "migrate", "--to", self.to, "--json")
        assert moved.code == 0, moved.stdout
        assert moved.document["moved"] == 2

    def assert_all_arrived(self) -> None:
        """Each delivery was sent once, with the credential of its webhook, and none is dead-lettered."""
        received = self.receiver.requests
        assert sorted(json.loads(each.body)["id"] for each in received) == sorted(
            f"e{number + 1}" for number in range(self.sent)
        )
        for each in received:
            assert dict(each.headers)["Authorization"] == f"Bearer {each.path[1:]}"
        assert "Messages" not in self.backend.clients.sqs.receive_message(QueueUrl=self.dead)


@pytest.fixture(params=WAYS)
def traffic(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Traffic]:
    with backend_named("moto") as backend, Receiver() as receiver:
        made = Traffic(backend, receiver, tmp_path, monkeypatch, to=request.param)
        yield made
        for app in made.apps:
            app.close()


def test_deliveries_at_each_call_of_a_migration_have_their_credentials(traffic: Traffic) -> None:
    warm = traffic.dispatcher()
    traffic.deliver(warm)

    def deliver(_number: int, _name: str) -> None:
        traffic.deliver(warm)
        traffic.deliver(traffic.dispatcher())

    with calls_seen(before=deliver):
        traffic.migrate()

    assert traffic.sent > 25
    traffic.deliver(warm)
    traffic.assert_all_arrived()


def test_a_dispatcher_that_read_a_webhook_before_the_migration_sends_it_all_the_same(
    traffic: Traffic,
) -> None:
    real = DynamoBatchReader.read
    migrated: list[bool] = []

    def read(*arguments: Any, **named: Any) -> Any:
        found = real(*arguments, **named)
        if not migrated:
            migrated.append(True)
            traffic.migrate()  # with the deletion of its secrets
        return found

    with mock.patch.object(DynamoBatchReader, "read", read):
        again = traffic.deliver(traffic.dispatcher())

    # What is sealed opens as long as the key exists; a secret that is gone makes the message come again
    assert again == (1 if traffic.to == "table" else 0)
    traffic.assert_all_arrived()


@pytest.mark.parametrize("traffic", ["secrets-manager"], indirect=True)
@pytest.mark.parametrize(
    "fault", [time_out, lose_response, fail("ThrottlingException"), fail("KMSInvalidStateException")]
)
def test_an_outage_of_kms_keeps_deliveries_waiting(traffic: Traffic, fault: Replacement) -> None:
    kms = FaultyClients(traffic.backend.clients, decrypt=forever(fault))
    app = traffic.dispatcher(kms)
    messages = [traffic.message(each) for each in traffic.webhooks]

    assert app.dispatcher.dispatch(messages, Lane.SLOW) == {each.id for each in messages}

    kms.replacements.clear()
    assert app.dispatcher.dispatch(messages, Lane.SLOW) == set()
    traffic.assert_all_arrived()


@pytest.mark.parametrize("traffic", ["secrets-manager"], indirect=True)
def test_a_sealed_credential_that_does_not_open_dead_letters_only_its_own_delivery(traffic: Traffic) -> None:
    broken, whole = traffic.webhooks
    kms = FaultyClients(traffic.backend.clients, decrypt=[fail("InvalidCiphertextException")])
    app = traffic.dispatcher(kms)

    assert app.dispatcher.dispatch([traffic.message(broken)], Lane.SLOW) == set()
    assert app.dispatcher.dispatch([traffic.message(whole)], Lane.SLOW) == set()

    [dead] = traffic.backend.clients.sqs.receive_message(
        QueueUrl=traffic.dead, MessageAttributeNames=["All"]
    )["Messages"]
    assert "credential is missing" in dead["MessageAttributes"]["reason"]["StringValue"]
    assert [each.path for each in traffic.receiver.requests] == ["/other"]
