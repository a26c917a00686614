"""Events at a rate into a local stack, and how long each takes to its callback."""

import itertools
import json
import statistics
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from benchmarks.event_path import EVENT_BYTES, LINE
from benchmarks.figure import Line
from benchmarks.load import Listener
from benchmarks.recording_receiver import HOOK, RecordingReceiver
from local import stack_file
from local.errors import LocalError
from local.stack import Stack

QUEUES = ("EventsQueueUrl", "DeliveriesQueueUrl", "SlowDeliveriesQueueUrl")
COUNTS = tuple(f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed"))
SENDERS = 8
BATCH = 10  # of SendMessageBatch
LOOK_SECONDS = 0.1
PATIENCE = 60  # seconds
LINES = [LINE] * (EVENT_BYTES // len(json.dumps(LINE)))


class Event(NamedTuple):
    """An event; `path`: where its callback goes."""

    id: str
    text: str
    path: str


def events(chosen: Sequence[Listener]) -> Iterator[Event]:
    """Make events without end, for each listener in turn."""
    for listener in itertools.cycle(chosen):
        event_id = str(uuid.uuid4())
        event = {
            "eventId": event_id,
            "eventName": listener.event_name,
            "tenantId": listener.tenant_id,
            "communityId": stack_file.COMMUNITY_ID,
            "data": {"orderId": event_id, "currency": "EUR", "lines": LINES},
        }
        yield Event(event_id, json.dumps(event), listener.path)


def publish(
    stack: Stack, queue_url: str, wanted: Iterable[Event], *, rate: float, seconds: float, at_once: int = 1
) -> dict[str, float]:
    """Publish events at a rate for a while, so many in a call.

    Returns when each that will be answered was sent, in epoch seconds by its id.
    """
    sqs = stack.client("sqs")
    sent: dict[str, float] = {}

    def send(batch: Sequence[Event]) -> None:
        sent.update(dict.fromkeys((event.id for event in batch if event.path == HOOK), time.time()))
        sqs.send_message_batch(QueueUrl=queue_url, Entries=entries(batch))

    started = time.monotonic()
    with ThreadPoolExecutor(SENDERS) as threads:
        batches = itertools.batched(itertools.islice(wanted, round(rate * seconds)), at_once, strict=False)
        sending = []
        for number, batch in enumerate(batches):
            time.sleep(max(0.0, started + number * at_once / rate - time.monotonic()))
            sending.append(threads.submit(send, batch))
        for each in sending:
            each.result()
    return sent


def keep_ahead(
    stack: Stack,
    queue_url: str,
    wanted: Iterator[Event],
    receiver: RecordingReceiver,
    *,
    by: int,
    seconds: float,
) -> float:
    """Keep so many events under way for a while; returns how many callbacks a second that brings.

    The queues cannot grow, and nothing idles: it is the most that goes through.
    """
    sqs = stack.client("sqs")
    receiver.forget()
    started, sent = time.monotonic(), 0
    looks: list[tuple[float, int]] = []
    while (now := time.monotonic() - started) < seconds:
        looks.append((now, len(receiver.look())))
        if sent - looks[-1][1] >= by:
            time.sleep(LOOK_SECONDS / 10)
            continue
        batch = tuple(itertools.islice(wanted, BATCH))
        sqs.send_message_batch(QueueUrl=queue_url, Entries=entries(batch))
        sent += len(batch)
    deadline = time.monotonic() + PATIENCE
    while len(receiver.look()) < sent and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    began = next(look for look in looks if look[0] > seconds / 5)  # the queues have filled up by then
    return (looks[-1][1] - began[1]) / (looks[-1][0] - began[0])


def entries(batch: Iterable[Event]) -> list[dict[str, str]]:
    """Write events as SendMessageBatch takes them."""
    return [{"Id": str(number), "MessageBody": event.text} for number, event in enumerate(batch)]


def latencies(receiver: RecordingReceiver, sent: Mapping[str, float]) -> list[float]:
    """Return the ms from each event to its callback. Raises LocalError where one does not come."""
    came = answered(receiver, sent)
    if missing := len(sent.keys() - came.keys()):
        raise LocalError(f"{missing} of {len(sent)} callbacks did not come within {PATIENCE} s")
    return [(came[event_id] - at) * 1000 for event_id, at in sent.items()]


def answered(receiver: RecordingReceiver, sent: Mapping[str, float]) -> dict[str, float]:
    """Wait for the events' callbacks, as long as there is patience; returns when each came."""
    deadline = time.monotonic() + PATIENCE
    while not sent.keys() <= (came := receiver.look()).keys() and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    return {event_id: came[event_id] for event_id in sent if event_id in came}


def waiting(stack: Stack) -> int:
    """Return how many messages are on the service's queues, those under way included."""
    sqs = stack.client("sqs")
    asked = [
        sqs.get_queue_attributes(QueueUrl=stack.outputs[name], AttributeNames=list(COUNTS)) for name in QUEUES
    ]
    return sum(int(each["Attributes"][name]) for each in asked for name in COUNTS)


def settle(stack: Stack) -> None:
    """Wait until the service's queues are empty. Raises LocalError."""
    deadline = time.monotonic() + PATIENCE
    while count := waiting(stack):
        if time.monotonic() > deadline:
            raise LocalError(f"{count} messages are still on the queues after {PATIENCE} s")
        time.sleep(LOOK_SECONDS)


def percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def distribution(values: Sequence[float]) -> Line:
    """Return the percentiles over their values, as a chart's line."""
    cuts = statistics.quantiles(values, n=200, method="inclusive")
    return [(round(cut, 1), place / 2) for place, cut in enumerate(cuts, 1)]
