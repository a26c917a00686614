"""The wall time of dispatcher invocations, which Lambda bills, per delivery.

The endpoints respond after 200 ms; the batches are ten messages of one delivery, or of ten. AWS is stubbed
below botocore, so AWS's own time, about 15 ms of a batch, is not in it; a CPU of this machine is more than
the share of one that a function of 512 MB gets. Where 1 % never respond, their webhooks are among the others:
the slow lane sends the deliveries that the fast lane hands over in full batches, and all time of both lanes
counts.
"""

import json
import time
from typing import Any

from benchmarks import event_path
from benchmarks.figure import Goal, Measured, Reading
from benchmarks.receiver_process import AFTER, DEAD
from benchmarks.recording_receiver import RecordingReceiver, recording_receiver
from local.progress import Progress
from tests.aws_stub.responses import stub_aws
from webhooks.adapters.dynamodb.health_items import health_attributes
from webhooks.adapters.dynamodb.items import Item
from webhooks.domain.health import HEALTHY
from webhooks.domain.webhook import Webhook

TITLE = "Billed time per delivery, endpoints answering in 200 ms"
AGAINST = "the endpoint's time / deliveries at once"
MILLISECONDS = 200
MESSAGES = 10  # of a batch
DEAD_SHARE = 100  # one in so many
ROUNDS = 5
HEALTH = health_attributes(HEALTHY)  # the names of a health's attributes


def measure(progress: Progress) -> Measured:
    readings = []
    with recording_receiver() as running:
        for at_once in (10, 100):
            with progress.step(f"{at_once} at once"):
                ratios = [_all_healthy(running, at_once) for _ in range(ROUNDS)]
            readings.append(Reading(f"{at_once} at once", ratios, goal=Goal(1.25)))
        for at_once, deliveries in ((10, 1_000), (100, 20_000)):
            with progress.step(f"{at_once} at once, 1 % never answer ({deliveries:,} deliveries)"):
                ratio = _some_dead(running, at_once, deliveries)
            readings.append(Reading(f"{at_once} at once, 1 % never answer", [ratio], goal=Goal(2)))
    return Measured(readings)


class Dispatcher:
    """The function, with an AWS that knows its webhooks, their health, and the slow lane's messages."""

    def __init__(self, webhooks: list[Webhook]) -> None:
        self._webhooks = {webhook.id: webhook for webhook in webhooks}
        self._health: dict[str, Item] = {}
        self._responses = event_path.responses([])
        self._read()
        self.slow: list[str] = []
        self._function = event_path.function("dispatcher")
        stub_aws(self._function.app.aws, self._response)

    def run(self, packs: list[tuple[Webhook, range]]) -> float:
        """Run a batch of the fast lane; returns its seconds."""
        return self._run(event_path.deliveries_batch(packs))

    def run_slow(self) -> float:
        """Run batches of the slow lane until it is empty; returns their seconds."""
        taken = 0.0
        while self.slow:
            texts, self.slow = self.slow[:MESSAGES], self.slow[MESSAGES:]
            taken += self._run(event_path.batch("slow", texts))
        return taken

    def _run(self, batch: dict[str, Any]) -> float:
        started = time.perf_counter()
        response = self._function.lambda_handler(batch, None)
        taken = time.perf_counter() - started
        if response["batchItemFailures"]:
            raise AssertionError(response)
        return taken

    def _response(self, operation: str, body: bytes) -> bytes:
        if operation == "SendMessageBatch":
            entries = json.loads(body)["Entries"]
            if "/slow" in json.loads(body)["QueueUrl"]:
                self.slow += [entry["MessageBody"] for entry in entries]
            return event_path.sent(len(entries))
        if operation == "UpdateItem":
            values = json.loads(body)["ExpressionAttributeValues"]
            webhook_id = values[":id"]["S"]
            self._health[webhook_id] = {name: values[f":{name}"] for name in HEALTH if f":{name}" in values}
            self._read()
            return b"{}"
        return self._responses[operation]

    def _read(self) -> None:
        items = [
            event_path.webhook_item(webhook) | self._health.get(webhook.id, {})
            for webhook in self._webhooks.values()
        ]
        self._responses |= {"BatchGetItem": event_path.found(items)}


def _all_healthy(running: RecordingReceiver, at_once: int) -> float:
    webhooks = _webhooks(running, dead=0)
    dispatcher, size = Dispatcher(webhooks), at_once // MESSAGES
    batch = [
        (webhook, range(position * size, (position + 1) * size)) for position, webhook in enumerate(webhooks)
    ]
    dispatcher.run(batch)  # opens the connections, reads the keys
    return dispatcher.run(batch) * 1000 / at_once / (MILLISECONDS / at_once)


def _webhooks(running: RecordingReceiver, *, dead: int) -> list[Webhook]:
    urls = [f"{running.url}{AFTER}{MILLISECONDS}"] * MESSAGES + [f"{running.url}{DEAD}"] * dead
    return [event_path.webhook(number, url) for number, url in enumerate(urls, 1)]


def _some_dead(running: RecordingReceiver, at_once: int, deliveries: int) -> float:
    """Return the ratio for so many deliveries, one in DEAD_SHARE for a webhook that never answers."""
    *healthy, dead = _webhooks(running, dead=1)
    dispatcher, size = Dispatcher([*healthy, dead]), at_once // MESSAGES
    messages = [
        (
            dead if number % DEAD_SHARE == 0 else healthy[number % MESSAGES],
            range(number * size, (number + 1) * size),
        )
        for number in range(deliveries // size)
    ]
    dispatcher.run(messages[1 : MESSAGES + 1])  # healthy: opens the connections, reads the keys
    taken = sum(
        dispatcher.run(messages[first : first + MESSAGES]) for first in range(0, len(messages), MESSAGES)
    )
    taken += dispatcher.run_slow()
    return taken * 1000 / deliveries / (MILLISECONDS / at_once)
