"""Functions killed at random while events flow: nothing is lost, and each webhook gets only its own deliveries.

KILL_EVENTS says how many events (default 300; 2,000 take a few minutes), KILL_SEED which kills. The queues'
visibility timeouts are lowered for the test, on its own stack: a killed batch comes again after seconds.
"""

import functools
import json
import os
import random
import re
import signal
import subprocess
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.stack import Stack
from tests.e2e.platform_client import PlatformClient
from tests.receiver import Receiver, reply
from tests.receiver_scripts import Connection, Received
from webhooks.adapters.dynamodb.log_partitions import log_partitions, webhook_id_in
from webhooks.domain.delivery import delivery_id
from webhooks.domain.delivery_message import decode_pack
from webhooks.services.dispatch.waves import WAVE, WAVE_SECONDS

pytestmark = pytest.mark.local_only("it kills processes of functions")

EVENTS = int(os.environ.get("KILL_EVENTS", "300"))
SEED = int(os.environ.get("KILL_SEED", "1"))
EVENT_PAUSE = 0.05  # seconds between two events
PAUSE = (0.1, 0.4)  # seconds between two kills, beside the looking
LOOKS = 20  # for a process that is at work, before one that may be idle has to do
ANSWER_DELAY = 0.5  # seconds: deliveries are in flight most of the time, and their endpoints count as quick
# Seconds that a victim has run: the emulator stops all processes of a function when one ends while it starts.
AGE = 4
HIDDEN = 12  # seconds; more than a batch takes when the functions run: so only kills repeat one
FIRST = 48  # events before the killing
SECONDS = 60 + EVENTS / 5
DISPATCHER = "DispatcherFunction"
VICTIMS = ("FanoutFunction", DISPATCHER)
SETTLED = ANSWER_DELAY + WAVE_SECONDS + 2  # seconds after which a callback is settled: two for the calls
CUT_SHORT = re.compile(r"^(\S+ \S+) WARNING .* Lambda (\S+) failed processing SQS batch", re.MULTILINE)
QUEUES = ("EventsQueueUrl", "DeliveriesQueueUrl", "SlowDeliveriesQueueUrl")
EXHAUSTED = "HTTP 500 at the last of 2 attempts"
REDRIVEN = "redriven"  # by the queue itself: its reader was killed at it as often as it may come


@dataclass(frozen=True)
class Hook:
    """A registered webhook; `every`: it wants each event whose number that divides."""

    id: str
    community: str
    path: str
    every: int


@dataclass(eq=False)
class Killer(threading.Thread):
    """Kills a function's process again and again, for as long as it is told."""

    emulator: int
    rng: random.Random
    kills: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        super().__init__(daemon=True, name="killer")
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.wait(self.rng.uniform(*PAUSE)):
            name = self.rng.choice(VICTIMS)
            if victims := self._victims(name):
                with suppress(ProcessLookupError):
                    os.kill(self.rng.choice(victims), signal.SIGKILL)
                    self.kills[name] += 1

    @contextmanager
    def killing(self) -> Iterator[None]:
        self.start()
        try:
            yield
        finally:
            self._stopping.set()
            self.join()

    def _victims(self, name: str) -> list[int]:
        """Return a function's processes that are at work, or after a while of looking all that it has."""
        found = []
        for _ in range(LOOKS):
            found = self._processes(name)
            if busy := [pid for pid, state in found if state.startswith("R")]:
                return busy
            self._stopping.wait(0.02)
        return [pid for pid, _ in found]

    def _processes(self, name: str) -> list[tuple[int, str]]:
        """Return the ids and states of the processes that run a function: the emulator's own children."""
        command = ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,etime=,args="]  # -ww: whole lines
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        processes = [line.split(None, 4) for line in listed.splitlines()]
        return sorted(
            (int(pid), state)
            for pid, parent, state, age, command in (each for each in processes if len(each) == 5)
            if int(parent) == self.emulator and name in command and _seconds(age) >= AGE
        )


def _seconds(elapsed: str) -> int:
    """Read ps's etime, [[days-]hours:]minutes:seconds; days do not matter here."""
    parts = map(int, elapsed.rpartition("-")[2].split(":"))
    return functools.reduce(lambda total, part: total * 60 + part, parts, 0)


@contextmanager
def hidden_for(stack: Stack, seconds: int) -> Iterator[None]:
    """Lower the queues' visibility timeouts, and put them back."""
    sqs, before = stack.client("sqs"), {}
    for queue in QUEUES:
        url = stack.outputs[queue]
        asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
        before[url] = asked["Attributes"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})
    try:
        yield
    finally:
        for url, attributes in before.items():
            sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)


def at_the_second(connection: Connection, received: Received) -> bool:
    """Answer 503 to a delivery's first attempt."""
    status = 503 if received.header("webhook-attempt") == "1" else 200
    return reply(status, delay=ANSWER_DELAY)(connection, received)


def registered(
    system: PlatformClient, receiver: Receiver, community: str, *, path: str, every: int, **changes: Any
) -> Hook:
    client = PlatformClient(system.api_url, system.license_key, community=community)
    body = {
        "eventNames": ["kill.test"],
        "name": path,
        "api": {"url": f"{receiver.url}/{community}/{path}", **changes.pop("api", {})},
        "successCodes": [200],
        "query": [{f"by{every}": True}],
        **changes,
    }
    response = client.call("PUT", "webhook", body)
    assert response.status == 200, response.body
    return Hook(response.json["_id"], community, f"/{community}/{path}", every)


def community_of(communities: Sequence[str], number: int) -> str:
    """Give six events to one, then six to the other: so each has events that 2, 3, both or none divide."""
    return communities[number // 6 % len(communities)]


def publish(stack: Stack, communities: Sequence[str], wanted: range) -> dict[str, int]:
    """Publish events by their numbers, little by little; returns the numbers by id."""
    sqs, numbers = stack.client("sqs"), {str(uuid.uuid4()): number for number in wanted}
    for event_id, number in numbers.items():
        event = {
            "eventId": event_id,
            "eventName": "kill.test",
            "tenantId": "acme",
            "communityId": community_of(communities, number),
            "data": {f"by{every}": number % every == 0 for every in (1, 2, 3)},
        }
        sqs.send_message(
            QueueUrl=stack.outputs["EventsQueueUrl"], MessageBody=json.dumps(event), MessageGroupId="acme"
        )
        time.sleep(EVENT_PAUSE)
    return numbers


def settle(stack: Stack, *, seconds: float) -> None:
    """Wait until nothing is on the queues, or under way."""
    names = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]
    until = time.monotonic() + seconds
    counts = {}
    while time.monotonic() < until:
        for queue in QUEUES:
            asked = stack.client("sqs").get_queue_attributes(
                QueueUrl=stack.outputs[queue], AttributeNames=names
            )
            counts[queue] = sum(int(count) for count in asked["Attributes"].values())
        if not any(counts.values()):
            return
        time.sleep(0.5)
    raise AssertionError(f"still on the queues after {seconds} s: {counts}")


def dead_letters(stack: Stack, queue: str) -> list[tuple[str, str]]:
    """Take all messages of a dead-letter queue; returns (body, reason) of each."""
    sqs, url = stack.client("sqs"), stack.outputs[queue]
    found: list[tuple[str, str]] = []
    while messages := sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["All"],
    ).get("Messages"):
        for message in messages:
            said = message.get("MessageAttributes", {}).get("reason", {}).get("StringValue")
            redriven = message["Attributes"].get("DeadLetterQueueSourceArn")
            found.append((message["Body"], said or (redriven and REDRIVEN)))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def dead_deliveries(stack: Stack, ids: Collection[str]) -> tuple[dict[str, str], int]:
    """Return the reason of each of the deliveries that is dead, and how many are dead more than once."""
    letters = [
        (delivery.id, reason)
        for body, reason in dead_letters(stack, "DeliveriesDlqUrl")
        if body.startswith("{")
        for delivery in decode_pack(body).deliveries
        if delivery.id in ids
    ]
    return dict(letters), len(letters) - len(dict(letters))


def event_ids(body: str) -> set[str]:
    """Return the ids that an event of the dead-letter queue has."""
    try:
        return {json.loads(body)["eventId"]}
    except (ValueError, KeyError, TypeError):
        return set()


def failed_batches(stack: Stack) -> int:
    return stack.emulator.log.read_text("utf-8", "replace").count("failed processing SQS batch")


def outcomes(stack: Stack, hooks: Iterable[Hook]) -> dict[str, str]:
    """Return the outcome of each delivery that the log has of the webhooks."""
    pages = [
        page
        for hook in hooks
        for partition in log_partitions(hook.id)
        for page in stack.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=stack.outputs["DeliveriesTable"],
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": partition}},
        )
    ]
    return {
        f"{webhook_id_in(item['pk']['S'])}-{item['sk']['S']}": item["outcome"]["S"]
        for page in pages
        for item in page["Items"]
    }


def dispatchers_ended(stack: Stack) -> list[float]:
    """Return the epoch seconds at which dispatchers ended within their batches, as the emulator's log has them."""
    found = CUT_SHORT.findall(stack.emulator.log.read_text("utf-8", "replace"))
    return [time.mktime(time.strptime(at, "%Y-%m-%d %H:%M:%S")) for at, name in found if DISPATCHER in name]


def late_repeats(calls: Sequence[Received], ends: Sequence[float]) -> Counter[float]:
    """Count, by the next end of a dispatcher, the repeated attempts whose callbacks had been answered for so
    long that they should have been settled.
    """
    attempts: dict[tuple[str | None, str | None], list[float]] = defaultdict(list)
    for call in calls:
        attempts[call.header("webhook-id"), call.header("webhook-attempt")].append(call.at)
    late: Counter[float] = Counter()
    for times in attempts.values():
        for first in sorted(times)[:-1]:
            ended = min((at for at in ends if at + 1 > first), default=None)  # the log has whole seconds
            if ended is not None and ended > first + SETTLED:
                late[ended] += 1
    return late


def test_functions_killed_while_events_flow_lose_none(
    stack: Stack, system: PlatformClient, capsys: pytest.CaptureFixture[str]
) -> None:
    communities = [f"kills-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    emulator = stack.emulator.running()
    assert emulator is not None
    killer, failed_before = Killer(emulator.pid, random.Random(SEED)), failed_batches(stack)
    with Receiver() as receiver, hidden_for(stack, HIDDEN):
        bearer = {"authType": "bearer", "credential": {"token": "t"}}
        hooks = [registered(system, receiver, each, path="all", every=1) for each in communities]
        hooks += [
            registered(system, receiver, each, path="half", every=2, api=bearer) for each in communities
        ]
        again = registered(system, receiver, communities[0], path="again", every=3, retryCount=1)
        failing = registered(system, receiver, communities[1], path="failing", every=3, retryCount=1)
        hooks += [again, failing]
        receiver.script(reply(200, delay=ANSWER_DELAY))
        receiver.script(at_the_second, path=again.path)
        receiver.script(reply(500, delay=ANSWER_DELAY), path=failing.path)
        # The first ones start the functions: starting takes longer than the queues hide a message here.
        numbers = publish(stack, communities, range(FIRST))
        settle(stack, seconds=SECONDS)
        started = time.monotonic()

        with killer.killing():
            numbers |= publish(stack, communities, range(FIRST, EVENTS))
        settle(stack, seconds=SECONDS)

        seconds = time.monotonic() - started
        calls = list(receiver.requests)
    wanted = {
        delivery_id(event_id, hook.id, log_time=0): hook
        for event_id, number in numbers.items()
        for hook in hooks
        if community_of(communities, number) == hook.community and number % hook.every == 0
    }
    doomed = {each for each, hook in wanted.items() if hook == failing}
    accepted = Counter(
        call.header("webhook-id")
        for call in calls
        if call.path != failing.path and (call.path != again.path or call.header("webhook-attempt") == "2")
    )
    attempts = Counter((call.header("webhook-id"), call.header("webhook-attempt")) for call in calls)
    repeats = attempts.total() - len(attempts)
    late = late_repeats(calls, dispatchers_ended(stack))
    dead, dead_again = dead_deliveries(stack, wanted)
    redriven = {each for each, reason in dead.items() if reason == REDRIVEN}
    # An event whose batch was killed as often as it may come: for the operator to redrive.
    events_dlq = {event_id for body, _ in dead_letters(stack, "EventsDlqUrl") for event_id in event_ids(body)}
    of_dead_events = {
        delivery_id(event_id, hook.id, log_time=0)
        for event_id in events_dlq & numbers.keys()
        for hook in hooks
    }
    cut_short = failed_batches(stack) - failed_before
    with capsys.disabled():
        print(  # noqa: T201 - figures for the reader
            f"\nkills: {EVENTS} events, {len(wanted)} deliveries, {len(calls)} calls in {seconds:.0f} s; "
            f"processes killed: {dict(killer.kills)}, batches cut short: {cut_short}; "
            f"delivered {len(accepted)}, again {accepted.total() - len(accepted)}; attempts repeated {repeats}, "
            f"of them answered long before {late.total()}; "
            f"dead {len(dead)}, again {dead_again}; redriven {len(redriven)} deliveries, "
            f"{len(events_dlq & numbers.keys())} events"
        )

    assert cut_short
    assert killer.kills.keys() == set(VICTIMS)
    logged = outcomes(stack, hooks)
    # The breaker opens for the endpoint that always fails: its later deliveries are held.
    held = {each for each, outcome in logged.items() if outcome == "held"}
    assert wanted.keys() - of_dead_events <= accepted.keys() | dead.keys() | held
    assert doomed - of_dead_events <= dead.keys() | held
    assert held <= doomed
    assert set(dead.values()) <= {EXHAUSTED, REDRIVEN}
    assert accepted.keys() <= wanted.keys() - doomed
    assert all(call.path == wanted[call.header("webhook-id") or ""].path for call in calls)
    unsure = redriven | of_dead_events
    assert logged.keys() <= wanted.keys()
    assert {each: outcome for each, outcome in logged.items() if each not in unsure | held} == {
        each: "dead" if each in doomed else "delivered" for each in wanted.keys() - unsure - held
    }
    # A kill repeats at most the deliveries in flight, ten messages of ten, and one wave of answered ones.
    assert repeats <= cut_short * 100
    assert late.total() <= cut_short * WAVE
