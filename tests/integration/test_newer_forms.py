"""Functions over what a later release left behind: nothing is lost, dead-lettered or sent, and all else goes on."""

import json
import logging
import secrets
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.contract.backends import Backend, backend_named
from tests.contract.webhooks_made import make_record
from tests.forms import CASES, PART, SLICE
from tests.lambda_functions import ENVIRONMENT, LOOPBACK, load_function
from tests.receiver import Receiver
from webhooks.adapters.dynamodb import webhook_items
from webhooks.adapters.dynamodb.log_partitions import log_partition, shard_of
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.dynamodb.webhook_items import keys_of
from webhooks.domain.delivery import Delivery, Pack, delivery_id
from webhooks.domain.delivery_message import encode_pack
from webhooks.domain.errors import NewerFormError
from webhooks.domain.event_array import encode_part
from webhooks.domain.event_slice import encode_slice
from webhooks.domain.forms import VERSION, Form
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import AuthType, Criteria, Definition, Endpoint, SealedCredential, Webhook

SCOPE, AT = Scope("acme", "main"), 1_789_000_000_000
QUEUES = {
    name: name.lower().replace("_", "-") for name in ENVIRONMENT if name.endswith(("QUEUE_URL", "DLQ_URL"))
}
DEAD = [name for name in QUEUES if name.endswith("DLQ_URL")]
NEWER = {VERSION: {"N": "9"}}


class Deployed:
    """The functions of the event path over moto, with an endpoint on this machine."""

    def __init__(self, backend: Backend) -> None:
        seed = json.dumps({"seed": secrets.token_hex(32)})
        self.aws = backend.clients
        self.environment = (
            ENVIRONMENT
            | LOOPBACK
            | {
                **{name: backend.queue(queue) for name, queue in QUEUES.items()},
                "SUBSCRIPTIONS_TABLE": backend.table("subscriptions"),
                "ACCESS_TABLE": backend.table("access", sorted_by=None),
                "DELIVERIES_TABLE": backend.table("deliveries"),
                "SERVICE_KEYS_SECRET": backend.secret("service-keys", seed),
                "SIGNING_KEYS_SECRET": backend.secret("signing-keys", seed),
                "WEBHOOK_MASTER_SECRET": backend.secret("webhook-master", seed),
            }
        )
        functions = {
            name: load_function(name, self.environment) for name in ("fanout", "dispatcher", "recovery")
        }
        self.handlers = {name: each.lambda_handler for name, each in functions.items()}
        self.apps = [each.app for each in functions.values()]
        tables = Tables(self.environment["SUBSCRIPTIONS_TABLE"], self.environment["ACCESS_TABLE"])
        self.subscriptions = DynamoSubscriptions(
            self.aws, tables, clock=backend.clock, random_bytes=backend.random_bytes
        )

    def registered(self, url: str, event_name: str) -> Webhook:
        webhook = Webhook(
            id=self.subscriptions.next_id(SCOPE, now=AT / 1000),
            scope=SCOPE,
            definition=Definition(
                event_names=(event_name,),
                name=event_name,
                endpoint=Endpoint(url=url, auth_type=AuthType.NONE),
                success_codes=(200,),
                created_by="shop",
                criteria=Criteria.ANY,
            ),
            created_at=AT // 1000,
        )
        self.subscriptions.add(webhook, make_record(secrets.token_hex(8)))
        return webhook

    def make_newer(self, table: str, pk: str) -> None:
        """Give every item of a partition a later version."""
        name = self.environment[table]
        found = self.aws.dynamodb.query(
            TableName=name,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
        )["Items"]
        assert found, pk
        for item in found:
            self.aws.dynamodb.put_item(TableName=name, Item={**item, **NEWER})

    def make_newer_webhook(self, webhook: Webhook) -> None:
        """Give a webhook's item a later version."""
        [key] = keys_of([(SCOPE, webhook.id)]).values()
        self.aws.dynamodb.update_item(
            TableName=self.environment["SUBSCRIPTIONS_TABLE"],
            Key={"pk": {"S": key[0]}, "sk": {"S": key[1]}},
            UpdateExpression=f"SET {VERSION} = :v",
            ExpressionAttributeValues={":v": NEWER[VERSION]},
        )

    def read(self, function: str, *texts: str, receives: int = 1) -> set[str]:
        """Give a function a batch of messages m0, m1, ...; return those that come again."""
        records = [
            {
                "messageId": f"m{number}",
                "body": text,
                "receiptHandle": f"r{number}",
                "attributes": {"SentTimestamp": str(AT), "ApproximateReceiveCount": str(receives)},
                "eventSourceARN": "arn:aws:sqs:us-east-1:1:"
                + self.environment["DELIVERIES_QUEUE_URL"].rpartition("/")[2],
            }
            for number, text in enumerate(texts)
        ]
        response = self.handlers[function]({"Records": records}, None)
        return {each["itemIdentifier"] for each in response["batchItemFailures"]}

    def messages(self, *queues: str) -> list[str]:
        """Take the messages of queues."""
        found = []
        for queue in queues:
            url = self.environment[queue]
            while taken := self.aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                for each in taken:
                    found.append(each["Body"])
                    self.aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return found


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with backend_named("moto") as backend:
        deployed = Deployed(backend)
        yield deployed
        for app in deployed.apps:
            app.close()


def event(name: str, event_id: str) -> str:
    return json.dumps(
        {"eventName": name, "eventId": event_id, "tenantId": "acme", "communityId": "main", "data": {}}
    )


def pack(webhook: Webhook, event_id: str) -> str:
    body = json.dumps({"id": event_id})
    delivery = Delivery(delivery_id(event_id, webhook.id, log_time=AT), event_id, "e", AT, body)
    return encode_pack(Pack(webhook.id, SCOPE, (delivery,)))


def newer_pack(webhook: Webhook, event_id: str) -> str:
    head, _, body = pack(webhook, event_id).partition("\n")
    return json.dumps(json.loads(head) | {VERSION: 2}) + "\n" + body


def reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [str(vars(each).get("reason")) for each in caplog.records if each.levelno >= logging.WARNING]


@pytest.mark.parametrize("receives", [1, 150])
def test_a_newer_pack_comes_again_and_its_neighbours_are_sent(
    deployed: Deployed, caplog: pytest.LogCaptureFixture, receives: int
) -> None:
    with Receiver() as receiver:
        webhook = deployed.registered(f"{receiver.url}/hook", f"pack.{receives}")
        again = deployed.read(
            "dispatcher", newer_pack(webhook, "new"), pack(webhook, f"old{receives}"), receives=receives
        )
        assert [json.loads(each.body) for each in receiver.requests] == [{"id": f"old{receives}"}]

    assert again == {"m0"}
    assert deployed.messages(*DEAD) == []
    assert any("newer form: pack of version 2" in each for each in reasons(caplog))


@pytest.mark.parametrize("left", ["webhook", "log"])
def test_a_newer_item_keeps_only_its_own_deliveries_waiting(
    deployed: Deployed, caplog: pytest.LogCaptureFixture, left: str
) -> None:
    with Receiver() as receiver:
        webhook = deployed.registered(f"{receiver.url}/hook", f"newer.{left}")
        other = deployed.registered(f"{receiver.url}/other", f"other.{left}")
        assert deployed.read("dispatcher", pack(webhook, "first")) == set()
        if left == "webhook":
            deployed.make_newer_webhook(webhook)
        else:
            first = delivery_id("first", webhook.id, log_time=AT)
            deployed.make_newer("DELIVERIES_TABLE", log_partition(webhook.id, shard_of(first)))

        repeated = "first" if left == "log" else "third"
        again = deployed.read("dispatcher", pack(webhook, repeated), pack(other, "second"))

        assert [each.path for each in receiver.requests] == ["/hook", "/other"]
    assert again == {"m0"}
    assert deployed.messages(*DEAD) == []
    assert any(each.startswith("newer form") for each in reasons(caplog))


def test_a_reader_of_before_sealed_credentials_keeps_their_deliveries_waiting(
    deployed: Deployed, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a webhook whose credential is sealed, and the release before, which knows the first version alone
    with Receiver() as receiver:
        webhook = deployed.registered(f"{receiver.url}/sealed", "sealed")
        other = deployed.registered(f"{receiver.url}/other", "unsealed")
        sealed = replace(webhook, credential=SealedCredential(SCOPE, webhook.id, "AQ=="), revision=2)
        deployed.subscriptions.change(webhook, sealed, record=None)
        monkeypatch.setattr(webhook_items, "WEBHOOK_ITEM", Form("webhook"))

        again = deployed.read("dispatcher", pack(sealed, "waits"), pack(other, "goes"))

        assert [each.path for each in receiver.requests] == ["/other"]
        with pytest.raises(NewerFormError):
            deployed.subscriptions.get(SCOPE, webhook.id)

        # When the later release is back, then it is sent
        monkeypatch.undo()
        assert deployed.read("dispatcher", pack(sealed, "waits")) == set()
        assert [each.path for each in receiver.requests] == ["/other", "/sealed"]
    assert again == {"m0"}
    assert deployed.messages(*DEAD) == []
    assert any("newer form: webhook of version 2" in each for each in reasons(caplog))


@pytest.mark.parametrize(
    "text",
    [
        encode_slice(SLICE).replace("slice 1 ", "slice 3 ", 1),
        encode_part(PART).replace("array 1 ", "array 2 ", 1),
    ],
)
@pytest.mark.parametrize("receives", [1, 150])
def test_a_newer_part_of_an_event_comes_again_and_its_neighbours_are_matched(
    deployed: Deployed, caplog: pytest.LogCaptureFixture, text: str, receives: int
) -> None:
    deployed.registered("http://127.0.0.1:9/x", "order.created")

    again = deployed.read("fanout", text, event("order.created", "e1"), receives=receives)

    assert again == {"m0"}
    assert deployed.messages(*DEAD) == []
    assert deployed.messages("DELIVERIES_QUEUE_URL") != []
    assert any("newer form" in each for each in reasons(caplog))


def test_a_newer_index_entry_keeps_its_events_waiting(
    deployed: Deployed, caplog: pytest.LogCaptureFixture
) -> None:
    deployed.registered("http://127.0.0.1:9/x", "entry.newer")
    deployed.registered("http://127.0.0.1:9/x", "entry.known")
    deployed.make_newer("SUBSCRIPTIONS_TABLE", "E#acme#main#entry.newer")

    again = deployed.read("fanout", event("entry.newer", "e1"), event("entry.known", "e2"))

    assert again == {"m0"}
    assert deployed.messages(*DEAD) == []
    assert len(deployed.messages("DELIVERIES_QUEUE_URL")) == 1
    assert any("newer form: index entry" in each for each in reasons(caplog))


@pytest.mark.parametrize("receives", [1, 150])
def test_a_newer_task_comes_again(
    deployed: Deployed, caplog: pytest.LogCaptureFixture, receives: int
) -> None:
    newer = [each.newer() for each in CASES if each.name.startswith("task")]

    assert deployed.read("recovery", *newer, receives=receives) == {"m0", "m1", "m2"}

    assert deployed.messages(*DEAD) == []
    assert all("newer form: recovery task" in each for each in reasons(caplog))
