"""How much later healthy callbacks are while a tenth of the events go to endpoints that never answer.

python -m benchmarks.lanes [SECONDS]: on the local stack of `make run`; prints p50, p99 and their ratio.
"""

import json
import statistics
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from local.paths import STACK_FILE
from tests.e2e.platform_client import PlatformClient
from tests.receiver import Receiver, reply, stall

RATE = 20  # events a second
HEALTHY, DEAD = 45, 5  # tenants' endpoints: one event in ten is for one that never answers
PATIENCE = 60


def main(seconds: int) -> None:
    """Measure without and with the dead endpoints, alternately, and print a table."""
    stack = json.loads(STACK_FILE.read_text("utf-8"))
    client = PlatformClient(stack["apiUrl"], stack["licenses"]["system"], community=stack["communityId"])
    runs: dict[str, list[float]] = {"all healthy": [], "a tenth dead": []}
    with Receiver() as receiver, registered(client, receiver) as names:
        receiver.script(stall, path="/dead")
        receiver.script(reply(200))
        measure(stack, receiver, names, seconds=5, dead=True)  # warm, and the dead ones known as such
        for _ in range(3):
            runs["all healthy"] += measure(stack, receiver, names, seconds=seconds, dead=False)
            runs["a tenth dead"] += measure(stack, receiver, names, seconds=seconds, dead=True)
    print(f"{'':14}{'callbacks':>10}{'p50 ms':>10}{'p99 ms':>10}")
    for name, latencies in runs.items():
        p50, p99 = (percentile(latencies, percent) for percent in (50, 99))
        print(f"{name:14}{len(latencies):>10}{p50:>10.0f}{p99:>10.0f}")
    ratio = percentile(runs["a tenth dead"], 99) / percentile(runs["all healthy"], 99)
    print(f"p99 ratio {ratio:.2f} (goal: at most 1.5)")


@contextmanager
def registered(client: PlatformClient, receiver: Receiver) -> Iterator[list[str]]:
    """Register an endpoint per event name, the last ones dead; deletes them afterwards."""
    run = uuid.uuid4().hex[:8]
    names = [f"lanes.{run}.{number}" for number in range(HEALTHY + DEAD)]
    made = []
    for number, name in enumerate(names):
        api = {"url": f"{receiver.url}/{'dead' if number >= HEALTHY else 'hook'}"}
        body = {"eventNames": [name], "name": name, "api": api, "successCodes": [200]}
        made.append(client.call("PUT", "webhook", body).json["_id"])
    yield names
    for webhook_id in made:
        client.call("DELETE", f"webhook/{webhook_id}")


def measure(
    stack: dict[str, Any], receiver: Receiver, names: list[str], *, seconds: int, dead: bool
) -> list[float]:
    """Publish at the rate and return the healthy callbacks' latencies in ms."""
    sqs = boto3.client(
        "sqs",
        endpoint_url=stack["awsEndpoint"],
        region_name=stack["region"],
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the emulator takes any
    )
    chosen = names if dead else names[:HEALTHY]
    sent: dict[str, float] = {}
    before = len(receiver.requests)
    started = time.time()
    for number in range(RATE * seconds):
        time.sleep(max(0.0, started + number / RATE - time.time()))
        event_id, name = str(uuid.uuid4()), chosen[number % len(chosen)]
        event = {
            "eventId": event_id,
            "eventName": name,
            "tenantId": "acme",
            "communityId": "main",
            "data": {},
        }
        if name in names[:HEALTHY]:
            sent[event_id] = time.time()
        threading.Thread(
            target=sqs.send_message,
            kwargs={"QueueUrl": stack["eventsQueueUrl"], "MessageBody": json.dumps(event)},
        ).start()
    until = time.time() + PATIENCE
    while time.time() < until:
        arrived = {
            json.loads(request.body)["id"]: request.at
            for request in receiver.requests[before:]
            if request.path == "/hook"
        }
        if sent.keys() <= arrived.keys():
            break
        time.sleep(0.2)
    return [(arrived[event_id] - at) * 1000 for event_id, at in sent.items()]


def percentile(values: list[float], percent: int) -> float:
    """Return a percentile."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
