"""functions/recovery and functions/maintenance, composed over moto's AWS."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.clocks import NOW
from tests.contract.backends import Backend, backend_named
from tests.contract.webhooks_made import make_record, make_webhook
from tests.lambda_functions import ENVIRONMENT
from webhooks.adapters.dynamodb.delivery_log import DynamoDeliveryLog
from webhooks.adapters.dynamodb.delivery_log_reader import DynamoDeliveryLogReader
from webhooks.adapters.dynamodb.health_store import DynamoHealthStore
from webhooks.adapters.dynamodb.replays import DynamoReplays
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.sqs.recovery_queue import SqsRecoveryQueue
from webhooks.bootstrap import maintenance, recovery
from webhooks.domain.delivery import Delivery, ReleaseKind, delivery_id
from webhooks.domain.delivery_log import LogEntry, LogQuery, Outcome, log_key
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.health import Health
from webhooks.domain.replay import Replay, ReplayPage, ReplayState, WebhookCheck
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook
from webhooks.entrypoints.sqs import task_messages
from webhooks.settings import MaintenanceSettings, RecoverySettings

SCOPE = Scope("acme", "north")
TIME = round(NOW * 1000)
ID = "00112233445566778899aabb"


class Deployed:
    """The function over tables and queues of its own."""

    def __init__(self, backend: Backend) -> None:
        aws = self.aws = backend.clients
        self.queues = {name: backend.queue(name) for name in ("recovery", "dead", "slow", "events")}
        tables = {"SUBSCRIPTIONS_TABLE": "subscriptions", "DELIVERIES_TABLE": "deliveries"}
        named = {variable: backend.table(name) for variable, name in tables.items()}
        named["ACCESS_TABLE"] = backend.table("access", sorted_by=None)
        environment = ENVIRONMENT | named
        environment |= {
            "RECOVERY_QUEUE_URL": self.queues["recovery"],
            "RECOVERY_DLQ_URL": self.queues["dead"],
            "SLOW_DELIVERIES_QUEUE_URL": self.queues["slow"],
            "EVENTS_QUEUE_URL": self.queues["events"],
        }
        self.app = recovery.compose(RecoverySettings.load(environment), aws)
        self.maintenance = maintenance.compose(MaintenanceSettings.load(environment), aws)
        deliveries, subscriptions = named["DELIVERIES_TABLE"], named["SUBSCRIPTIONS_TABLE"]
        self.log = DynamoDeliveryLog(aws, deliveries, days=30)
        self.reader = DynamoDeliveryLogReader(aws, deliveries)
        self.replays = DynamoReplays(Table(aws, deliveries))
        self.health = DynamoHealthStore(Table(aws, subscriptions))
        self.subscriptions = DynamoSubscriptions(
            aws,
            Tables(subscriptions, named["ACCESS_TABLE"]),
            clock=backend.clock,
            random_bytes=backend.random_bytes,
        )
        self.queue = SqsRecoveryQueue(aws, self.queues["recovery"])

    def webhook(self, health: Health | None = None) -> Webhook:
        webhook_id = self.subscriptions.next_id(SCOPE, now=NOW)
        webhook = make_webhook(webhook_id, SCOPE, paused=False, rate_limit=None, recover=None)
        self.subscriptions.add(webhook, make_record(webhook_id))
        if health is not None:
            self.health.save(webhook, health)
        return self.stored(webhook)

    def stored(self, webhook: Webhook) -> Webhook:
        found = self.subscriptions.get(SCOPE, webhook.id)
        assert found is not None
        return found

    def fill(
        self, webhook: Webhook, amount: int, outcome: Outcome, *, recoverable: bool = False
    ) -> list[str]:
        made = []
        for number in range(amount):
            log_time = TIME + number
            body = json.dumps({"number": number, "text": "ü"}, ensure_ascii=False)
            id_ = delivery_id(f"e{number}", webhook.id, log_time=log_time)
            delivery = Delivery(id_, f"e{number}", "order.paid", log_time, body)
            entry = LogEntry(log_key(webhook.id, delivery), delivery, SCOPE, outcome, TIME, reason="r")
            made.append(replace(entry, is_recoverable=recoverable))
        assert list(self.log.record(made)) == []
        return [entry.delivery.id for entry in made]

    def outcomes(self, ids: list[str]) -> list[tuple[Outcome, bool, bool]]:
        webhook_id = ids[0].partition("-")[0]
        query = LogQuery(SCOPE, webhook_id)
        found = self.reader.oldest(query, after=None, size=100).entries
        return [(each.outcome, each.is_recoverable, each.has_payload) for each in found]

    def take(self, name: str) -> list[dict[str, Any]]:
        """Take the messages off a queue, whatever their delay."""
        taken: list[dict[str, Any]] = []
        while messages := self.aws.sqs.receive_message(
            QueueUrl=self.queues[name], MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            taken += [dict(message) for message in messages]
            for message in messages:
                self.aws.sqs.delete_message(
                    QueueUrl=self.queues[name], ReceiptHandle=message["ReceiptHandle"]
                )
        return taken

    def work(self) -> int:
        """Let the function work on what can be received; returns the number of messages."""
        messages = self.take("recovery")
        for message in messages:
            record = {
                "messageId": message["MessageId"],
                "body": message["Body"],
                "attributes": {"ApproximateReceiveCount": "1"},
            }
            assert self.app.tasks.work(task_messages({"Records": [record]})) == set()
        return len(messages)


@pytest.fixture
def deployed() -> Iterator[Deployed]:
    with backend_named("moto") as backend:
        yield Deployed(backend)


def test_a_replay_is_sent_by_pages(deployed: Deployed) -> None:
    webhook = deployed.webhook()
    ids = deployed.fill(webhook, 30, Outcome.DEAD)
    query = LogQuery(SCOPE, webhook.id, Outcome.DEAD)
    replay = Replay(
        ID, SCOPE, ReleaseKind.REPLAY, 1000, TIME + 1, "me", query=query, total=30, updated_at=TIME
    )
    deployed.replays.add(replay, key="k", limit=1)
    deployed.queue.send(ReplayPage(SCOPE, ID, 0), delay=0)
    while deployed.work():
        pass
    packs = [decode_pack(message["Body"]) for message in deployed.take("slow")]
    sent = {delivery.id: delivery for pack in packs for delivery in pack.deliveries}
    assert sorted(sent) == ids
    assert json.loads(sent[ids[7]].body) == {"number": 7, "text": "ü"}
    assert {pack.release and (pack.release.kind, pack.release.id) for pack in packs} == {
        (ReleaseKind.REPLAY, ID)
    }
    done = deployed.replays.get(SCOPE, ID)
    assert done is not None
    assert (done.state, done.sent, done.passed_over) == (ReplayState.DONE, 30, 0)


def test_a_probe_and_then_a_recovery_are_sent(deployed: Deployed) -> None:
    webhook = deployed.webhook(Health(failing_since=TIME, backlog_since=TIME, failures=4))
    webhook = deployed.stored(webhook)
    # Not for five days yet, by the real clock that the function has.
    deployed.health.save(webhook, replace(webhook.health, failing_since=2**47))
    ids = deployed.fill(webhook, 5, Outcome.HELD)
    deployed.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    deployed.work()
    [probe] = [decode_pack(message["Body"]) for message in deployed.take("slow")]
    assert [each.id for each in probe.deliveries] == ids[:1]
    probed = deployed.stored(webhook)
    assert probed.health.probe_delay == 30

    deployed.health.save(probed, Health(backlog_since=TIME, version=probed.health.version))
    deployed.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    deployed.work()
    deployed.work()
    packs = [decode_pack(message["Body"]) for message in deployed.take("slow")]
    assert [each.id for pack in packs for each in pack.deliveries] == ids
    recovery_id = deployed.stored(webhook).health.recovery
    assert recovery_id is not None
    found = deployed.replays.get(SCOPE, recovery_id)
    assert found is not None
    assert (found.kind, found.sent, found.is_running) == (ReleaseKind.RECOVERY, 5, True)


def test_a_webhook_without_a_success_for_days_is_disabled(deployed: Deployed) -> None:
    webhook = deployed.webhook(Health(failing_since=1, backlog_since=1, failures=4))
    ids = deployed.fill(webhook, 3, Outcome.DEAD, recoverable=True)
    deployed.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    deployed.work()
    stored = deployed.stored(webhook)
    assert (stored.enabled, stored.disabled_reason) == (False, "no success for 5 days")
    [event] = [json.loads(message["Body"]) for message in deployed.take("events")]
    assert (event["eventName"], event["data"]["webhookId"]) == ("webhook.disabled", webhook.id)

    long_ago = replace(stored.health, recovery=webhook.id, recovery_at=1)
    deployed.health.save(stored, long_ago)
    deployed.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    deployed.work()
    assert deployed.outcomes(ids) == [(Outcome.DEAD, False, True)] * 3
    deployed.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    deployed.work()
    assert deployed.stored(webhook).health.backlog_since is None


def test_a_text_that_is_no_task_is_dead_lettered(deployed: Deployed) -> None:
    deployed.aws.sqs.send_message(QueueUrl=deployed.queues["recovery"], MessageBody="no task")
    deployed.work()
    [dead] = deployed.take("dead")
    assert dead["Body"] == "no task"
    assert dead["MessageAttributes"]["reason"]["StringValue"].startswith("not a task")


def test_the_schedule_asks_for_lost_looks(deployed: Deployed) -> None:
    waiting = deployed.webhook(Health(held_since=TIME, probe_at=TIME))
    deployed.webhook()
    result = deployed.maintenance.schedule.handle({"task": "checks"}, None)
    assert result == {"webhooks": 1, "sent": 1}
    [message] = deployed.take("recovery")
    assert json.loads(message["Body"])["webhookId"] == waiting.id
