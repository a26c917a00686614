"""`dlq` against queues of an account in process: nothing is lost at any call that fails, or at any kill."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.sqs.models import sqs_backends
from mypy_boto3_sqs import SQSClient

from tests.loopback_api import Api
from tests.unit.cli.command_line import CommandLine, Terminal
from webhooks.domain.delivery import Pack, delivery_of, pack_deliveries
from webhooks.domain.delivery_message import decode_pack, encode_pack
from webhooks.domain.event import parse_event
from webhooks.domain.event_slice import EventSlice, encode_slice
from webhooks.domain.scope import Scope
from webhooks_cli.dead_letter_queue import DeadLetterQueue
from webhooks_cli.dead_letters import Chosen, delivery_entry, event_entry
from webhooks_cli.errors import CliError
from webhooks_cli.queues import QUEUES as QUEUE_NAMES

REGION = "us-east-1"
QUEUES = ("events", "deliveries", "slow", "recovery", "events-dlq", "deliveries-dlq", "recovery-dlq")
WEBHOOK, OTHER = "65f0c0ffee65f0c0ffee65f0", "75f0c0ffee65f0c0ffee65f0"
SCOPE = Scope("acme", "main")


def event_text(number: int) -> str:
    return json.dumps(
        {
            "eventId": f"e{number}",
            "eventName": "order.paid",
            "tenantId": SCOPE.tenant_id,
            "communityId": SCOPE.community_id,
            "occurredAt": "2026-01-15T09:30:00.250Z",
            "data": {"number": number},
        }
    )


def pack(number: int, webhook_id: str = WEBHOOK) -> Pack:
    event = parse_event(event_text(number), message_id="m", sent_at=0)
    (only,) = pack_deliveries(webhook_id, SCOPE, deliveries=[delivery_of(event, webhook_id)])
    return only


@pytest.fixture(autouse=True)
def sqs() -> Iterator[SQSClient]:
    with mock_aws():
        client = boto3.client("sqs", region_name=REGION)
        for name in QUEUES:
            client.create_queue(QueueName=name)
        yield client


def url(name: str) -> str:
    return f"https://sqs.{REGION}.amazonaws.com/123456789012/{name}"


def queues() -> dict[str, Any]:
    return sqs_backends["123456789012"][REGION].queues


def stored(name: str) -> list[Any]:
    """Return the queue's messages, the invisible ones too."""
    return list(queues()[name]._messages)  # noqa: SLF001 - as no call shows them


def bodies(name: str) -> Counter[str]:
    return Counter(each.body for each in stored(name))


def visible(name: str) -> int:
    return sum(each.visible for each in stored(name))


def attribute(text: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": text}


def dead_letter(sqs: SQSClient, one: Pack, reason: str = "503") -> str:
    sqs.send_message(
        QueueUrl=url("deliveries-dlq"),
        MessageBody=encode_pack(one),
        MessageAttributes={"webhookId": attribute(one.webhook_id), "reason": attribute(reason)},  # type: ignore[dict-item]
    )
    return encode_pack(one)


@pytest.fixture
def webhooks(tmp_path: Path) -> CommandLine:
    command_line = CommandLine(tmp_path, now=time.time() + 1)
    command_line.write_stack(
        region=REGION,
        tenantId="acme",
        communityId="main",
        eventsQueueUrl=url("events"),
        eventsDlqUrl=url("events-dlq"),
        deliveriesQueueUrl=url("deliveries"),
        slowDeliveriesQueueUrl=url("slow"),
        deliveriesDlqUrl=url("deliveries-dlq"),
        recoveryQueueUrl=url("recovery"),
        recoveryDlqUrl=url("recovery-dlq"),
    )
    return command_line


def test_a_list_shows_the_reasons_and_leaves_every_message_visible(
    webhooks: CommandLine, sqs: SQSClient
) -> None:
    for number in range(12):
        dead_letter(sqs, pack(number, OTHER if number % 3 else WEBHOOK), reason=f"reason {number}")
    listed = webhooks("dlq", "list", "deliveries", "--webhook", WEBHOOK, "--json").document
    assert {each["reason"] for each in listed} == {"reason 0", "reason 3", "reason 6", "reason 9"}
    assert {each["eventName"] for each in listed} == {"order.paid"}
    assert visible("deliveries-dlq") == 12
    shown = webhooks("dlq", "list", "deliveries", "--reason", "REASON 9").stdout
    assert shown.splitlines()[0].split()[:4] == ["age", "webhook", "event", "reason"]
    assert len(shown.splitlines()) == 2
    assert len(webhooks("dlq", "list", "deliveries", "--limit", 5, "--json").document) == 5
    assert visible("deliveries-dlq") == 12


def test_one_message_is_shown_with_its_body(webhooks: CommandLine, sqs: SQSClient) -> None:
    body = dead_letter(sqs, pack(1))
    dead_letter(sqs, pack(2))
    (wanted,) = (each.id for each in stored("deliveries-dlq") if each.body == body)
    shown = webhooks("dlq", "show", "deliveries", wanted, "--json").document
    assert (shown["body"], shown["reason"], shown["webhookId"]) == (body, "503", WEBHOOK)
    assert shown["deliveryIds"] == [pack(1).deliveries[0].id]
    missing = webhooks("dlq", "show", "deliveries", "no-such")
    assert (missing.code, "no message no-such" in missing.stderr) == (1, True)
    assert visible("deliveries-dlq") == 2


def test_a_filter_by_age_counts_from_the_dead_letter(webhooks: CommandLine, sqs: SQSClient) -> None:
    dead_letter(sqs, pack(1))
    webhooks.now = time.time() + 7200
    assert webhooks("dlq", "list", "deliveries", "--newer", "1h", "--json").document == []
    assert len(webhooks("dlq", "list", "deliveries", "--older", "1h", "--json").document) == 1


def test_redriven_deliveries_are_packs_of_the_slow_lane(webhooks: CommandLine, sqs: SQSClient) -> None:
    sent = [dead_letter(sqs, pack(number)) for number in range(23)]
    stays = dead_letter(sqs, pack(99, OTHER))
    counted = webhooks("dlq", "redrive", "deliveries", "--webhook", WEBHOOK, "--dry-run", "--json").document
    assert counted["wouldSend"] == 23
    assert visible("deliveries-dlq") == 24
    ended = webhooks("dlq", "redrive", "deliveries", "--webhook", WEBHOOK)
    assert (ended.code, ended.stdout) == (0, "23 went back into the slow lane\n")
    assert bodies("slow") == Counter(sent)
    assert bodies("deliveries-dlq") == Counter([stays])
    assert visible("deliveries-dlq") == 1
    for message in stored("slow"):
        assert decode_pack(message.body).webhook_id == WEBHOOK
        assert message.group_id == SCOPE.fairness_group
        assert set(message.message_attributes) == {"webhookId"}


def test_redriven_events_and_slices_keep_their_shape_and_get_a_group(
    webhooks: CommandLine, sqs: SQSClient
) -> None:
    event = parse_event(event_text(1), message_id="m", sent_at=0)
    flat = json.dumps({"tenant_id": "acme", "community_id": "main", "event_name": "x"})
    bridged = json.dumps({"detail-type": "x", "detail": {"tenantId": "acme", "communityId": "main"}})
    array = json.dumps([json.loads(event_text(2)), {"tenantId": "other"}])
    texts = [event_text(1), encode_slice(EventSlice(event)), flat, bridged, array]
    for text in texts:
        sqs.send_message(
            QueueUrl=url("events-dlq"),
            MessageBody=text,
            MessageAttributes={"reason": attribute("no good"), "mine": attribute("kept")},  # type: ignore[dict-item]
        )
    sqs.send_message(QueueUrl=url("events-dlq"), MessageBody="no event at all")
    ended = webhooks("dlq", "redrive", "events", "--json")
    assert ended.document["sent"] == 5
    assert ended.document["staying"] == {"not an event": 1}
    assert bodies("events") == Counter(texts)
    assert bodies("events-dlq") == Counter(["no event at all"])
    assert visible("events-dlq") == 1
    assert {message.group_id for message in stored("events")} == {SCOPE.fairness_group}
    assert {tuple(message.message_attributes) for message in stored("events")} == {("mine",)}


def test_a_message_that_comes_back_during_a_redrive_is_left_to_the_next(
    webhooks: CommandLine, sqs: SQSClient
) -> None:
    dead_letter(sqs, pack(1))
    webhooks.now = time.time() - 10  # all that is here came later
    assert webhooks("dlq", "redrive", "deliveries", "--json").document["sent"] == 0
    assert visible("deliveries-dlq") == 1


def test_purge_asks_and_deletes_only_those_that_fit(webhooks: CommandLine, sqs: SQSClient) -> None:
    kept = dead_letter(sqs, pack(1, OTHER))
    dead_letter(sqs, pack(2))
    argv = ("dlq", "purge", "deliveries", "--webhook", WEBHOOK)
    refused = webhooks(*argv, stdin="no\n")
    assert (refused.code, "nothing was deleted" in refused.stderr) == (2, True)
    assert webhooks(*argv).code == 2  # no answer is no
    assert webhooks(*argv, "--dry-run", "--json").document["wouldDelete"] == 1
    assert len(stored("deliveries-dlq")) == 2
    assert webhooks(*argv, stdin="yes\n").stdout == "1 deleted for good\n"
    assert bodies("deliveries-dlq") == Counter([kept])
    assert webhooks("dlq", "purge", "recovery", "--yes", "--json").document["deleted"] == 0


def test_tasks_of_the_recovery_queue_are_not_redriven(webhooks: CommandLine) -> None:
    ended = webhooks("dlq", "redrive", "recovery")
    assert (ended.code, "invalid choice" in ended.stderr) == (2, True)


def test_the_progress_is_on_stderr_of_a_terminal_only(webhooks: CommandLine, sqs: SQSClient) -> None:
    dead_letter(sqs, pack(1))
    assert webhooks("dlq", "redrive", "deliveries", "--dry-run").stderr == ""
    webhooks.stderr = Terminal
    assert "[####" in webhooks("dlq", "redrive", "deliveries", "--dry-run").stderr


HEALTHY = {
    "webhooks": {"total": 1, "healthy": 1},
    "undelivered": {"retrying": 0, "dead": 0, "held": 0},
    "isExact": True,
}


def with_api(webhooks: CommandLine, api: Api, **more: object) -> None:
    """Add an API to the stack; `more` replaces some of its names."""
    names = json.loads((webhooks.folder / ".local/stack.json").read_text())
    names |= {"apiUrl": api.url, "stackName": "webhooks", "licenses": {"system": "a-license"}}
    webhooks.write_stack(**{**names, **more})
    api.answer("GET", "health", HEALTHY)


def test_health_shows_operators_the_depth_of_every_queue(webhooks: CommandLine, sqs: SQSClient) -> None:
    dead_letter(sqs, pack(1))
    with Api() as api:
        with_api(webhooks, api)
        shown, document = webhooks("health"), webhooks("health", "--json").document
    assert "webhooks     1: 1 healthy" in shown.stdout
    assert [each["queue"] for each in document["queues"]] == list(QUEUE_NAMES)
    assert {each["queue"]: each["messages"] for each in document["queues"] if each["messages"]} == {
        "deliveries-dlq": 1
    }
    assert "deliveries-dlq   1         0          0" in shown.stdout


def test_health_shows_the_age_of_the_oldest_message_that_cloudwatch_has(
    webhooks: CommandLine, sqs: SQSClient
) -> None:
    dead_letter(sqs, pack(1))
    boto3.client("cloudwatch", region_name=REGION).put_metric_data(
        Namespace="AWS/SQS",
        MetricData=[
            {
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Dimensions": [{"Name": "QueueName", "Value": "deliveries-dlq"}],
                "Timestamp": datetime.now(UTC) - timedelta(minutes=2),
                "Value": 7260.0,
            }
        ],
    )
    with Api() as api:
        with_api(webhooks, api)
        assert "2h 1m" in webhooks("health").stdout


def test_ctrl_c_during_a_redrive_says_what_was_done_and_hides_nothing(
    webhooks: CommandLine, sqs: SQSClient
) -> None:
    class Interrupting(Terminal):
        drawn = 0

        def write(self, text: str) -> int:
            if "[" in text:
                self.drawn += 1
                if self.drawn == 1:
                    raise KeyboardInterrupt
            return super().write(text)

    for number in range(15):
        dead_letter(sqs, pack(number))
        dead_letter(sqs, pack(100 + number, OTHER))
    webhooks.stderr = Interrupting
    ended = webhooks("dlq", "redrive", "deliveries", "--webhook", WEBHOOK)
    assert ended.code == 130
    assert "interrupted; 5 went back, 5 deleted; run it again for the others" in ended.stderr
    assert (len(stored("slow")), len(stored("deliveries-dlq")), visible("deliveries-dlq")) == (5, 25, 25)


def test_health_without_access_to_the_queues_shows_all_else(webhooks: CommandLine) -> None:
    with Api() as api:
        with_api(webhooks, api, eventsQueueUrl=url("no-such"))
        shown = webhooks("health")
    assert shown.code == 0
    assert "webhooks     1: 1 healthy" in shown.stdout
    assert "the queues are not shown: sqs GetQueueAttributes" in shown.stderr


class Killed(BaseException):
    """The end of the process: nothing after it runs."""


class Client:
    """An SQS client with a fault at one call, before or after the service took it."""

    def __init__(self, client: SQSClient, *, at: int, fault: Callable[[], BaseException], when: str) -> None:
        self._client = client
        self._at = at
        self._fault = fault
        self._when = when
        self.calls = 0
        self._is_dead = False

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            if self._is_dead:
                raise Killed
            self.calls += 1
            if self.calls != self._at:
                return getattr(self._client, name)(**arguments)
            if self._when == "after":
                getattr(self._client, name)(**arguments)
            fault = self._fault()
            self._is_dead = isinstance(fault, Killed)
            raise fault

        return call


def unavailable() -> ClientError:
    return ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "x"}}, "any")


def redrive(client: object, *, target: str = "slow") -> DeadLetterQueue:
    name, placing = ("deliveries-dlq", delivery_entry) if target == "slow" else ("events-dlq", event_entry)
    with DeadLetterQueue(cast("SQSClient", client), url(name), wait_seconds=0) as queue:
        for letters in queue.chosen(Chosen(webhook_id=WEBHOOK), limit=None):
            queue.move(letters, url(target), placing)
    return queue


def of_two_webhooks(sqs: SQSClient) -> tuple[list[str], list[str]]:
    both = [
        (dead_letter(sqs, pack(number)), dead_letter(sqs, pack(100 + number, OTHER))) for number in range(15)
    ]
    return [wanted for wanted, _ in both], [other for _, other in both]


CALLS = 12  # of the redrive below without a fault


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", [unavailable, KeyboardInterrupt, Killed])
def test_nothing_is_lost_whatever_call_is_the_last(
    sqs: SQSClient, fault: Callable[[], BaseException], when: str
) -> None:
    for at in range(1, CALLS + 1):
        # Given dead letters of two webhooks
        wanted, others = of_two_webhooks(sqs)

        # When the command ends at one call
        client = Client(sqs, at=at, fault=fault, when=when)
        with suppress(CliError, KeyboardInterrupt, Killed):
            redrive(client)
        assert client.calls >= at

        # Then each message is in a queue, and the others' are where they were
        left, moved = bodies("deliveries-dlq"), bodies("slow")
        assert set(left) | set(moved) == {*wanted, *others}
        assert set(moved) <= set(wanted)
        assert all(left[each] == 1 for each in others)
        # ... and all are visible again but for a kill, or the one call that AWS did not answer
        hidden = sum(left.values()) - visible("deliveries-dlq")
        assert hidden <= (30 if fault is Killed else 10)

        # And the next redrive moves the rest; a repeat is one that the log recognises
        for message in stored("deliveries-dlq"):
            message.change_visibility(0)
        redrive(sqs)
        assert set(bodies("slow")) == set(wanted)
        assert bodies("deliveries-dlq") == Counter(others)
        assert max(bodies("slow").values()) <= 2
        for name in ("deliveries-dlq", "slow"):
            queues()[name]._messages.clear()  # noqa: SLF001 - a queue is purged once a minute only


def test_the_number_of_calls_without_a_fault_is_that_of_the_test_above(sqs: SQSClient) -> None:
    of_two_webhooks(sqs)
    client = Client(sqs, at=0, fault=Killed, when="before")
    assert redrive(client).tally.sent == 15
    assert client.calls == CALLS


def test_a_message_that_the_queue_does_not_take_stays_and_is_told(sqs: SQSClient) -> None:
    for number in range(3):
        dead_letter(sqs, pack(number))

    class Full:
        def __getattr__(self, name: str) -> Callable[..., Any]:
            def call(**arguments: Any) -> Any:
                if name != "send_message_batch":
                    return getattr(sqs, name)(**arguments)
                first, *rest = arguments["Entries"]
                answered = dict(sqs.send_message_batch(QueueUrl=arguments["QueueUrl"], Entries=rest))
                return {**answered, "Failed": [{"Id": first["Id"], "Code": "Busy", "SenderFault": False}]}

            return call

    tally = redrive(Full()).tally
    assert (tally.sent, tally.refused) == (2, 1)
    assert len(stored("slow")) == 2
    assert visible("deliveries-dlq") == 1


def test_large_messages_go_in_calls_of_a_mebibyte(sqs: SQSClient) -> None:
    for number in range(3):
        text = json.dumps({**json.loads(event_text(number)), "webhookId": WEBHOOK, "pad": "x" * 500_000})
        sqs.send_message(QueueUrl=url("events-dlq"), MessageBody=text)
    assert redrive(sqs, target="events").tally.sent == 3
    assert not stored("events-dlq")
