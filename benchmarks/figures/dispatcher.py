"""The whole handler of functions/dispatcher on batches of 10 messages, AWS stubbed below botocore.

Against a bare loop of urllib3 that sends the same POSTs (bodies, headers, kept TLS connections) from as
many threads as the dispatcher has deliveries in flight.

A function of 512 MB has less than one core. There the loop's threads do not compete for the
interpreter's lock and take half of the CPU; the dispatcher does the same work: signing, deciding,
logging, recording, two AWS calls a batch.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import urllib3
from urllib3.util import create_urllib3_context

from benchmarks import event_path
from benchmarks.figure import Goal, Measured, Reading
from benchmarks.null_receiver import HOST, NullReceiver, null_receiver
from benchmarks.paired import Work, cpu_ratios
from local.progress import Progress
from tests.aws_stub.responses import canned, stub_aws
from webhooks.bootstrap.dispatcher import DispatcherApp
from webhooks.domain.delivery import Delivery
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.webhook import Webhook

TITLE = "Dispatcher: deliveries per CPU second, kept connections"
AGAINST = "a bare urllib3 loop of the same POSTs at the same concurrency"
GOAL = Goal(0.8, at_least=True)
BATCH = 10  # messages
ALL_CORES = os.sched_getaffinity(0)
ONE_CORE = {max(ALL_CORES)}
BATCHES = 20  # in one run


def measure(progress: Progress) -> Measured:
    readings = []
    with null_receiver() as running:
        for name, size in (("10 single deliveries", 1), ("10 packs of 10", 10)):
            for where, cores, goal in (("", ALL_CORES, GOAL), (", on one core", ONE_CORE, None)):
                os.sched_setaffinity(0, cores)  # before any thread is started, as threads take it over
                subject, baseline = works(running, size)
                with progress.step(f"{name}{where}"):
                    ratios = [1 / ratio for ratio in cpu_ratios(subject, baseline)]
                readings.append(Reading(f"{name}{where}", ratios, goal=goal))
            os.sched_setaffinity(0, ALL_CORES)
    return Measured(readings)


def works(running: NullReceiver, size: int) -> tuple[Work, Work]:
    """Return the dispatcher's work on batches of packs of a size, and the same POSTs by urllib3."""
    os.environ["SSL_CERT_FILE"] = str(running.authority)
    url = f"https://{HOST}:{running.https}/hook"
    webhooks = [event_path.webhook(number, url) for number in range(1, BATCH + 1)]
    function = event_path.function("dispatcher")
    stub_aws(function.app.aws, canned(event_path.responses(webhooks)))
    batch = packs(webhooks, size)
    posts = [
        (delivery.body.encode(), _headers(function.app, webhook, delivery))
        for webhook, delivery in _deliveries(webhooks, batch)
    ]

    def subject() -> int:
        for _ in range(BATCHES):
            response = function.lambda_handler(batch, None)
            if response["batchItemFailures"]:
                raise AssertionError(response)
        return BATCHES * len(posts)

    return subject, bare_loop(running, posts)


def packs(webhooks: Sequence[Webhook], size: int) -> dict[str, Any]:
    return event_path.deliveries_batch(
        [
            (webhook, range(position * size, position * size + size))
            for position, webhook in enumerate(webhooks)
        ]
    )


def bare_loop(running: NullReceiver, posts: Sequence[tuple[bytes, dict[str, str]]]) -> Work:
    """Return urllib3 as fast as it can be: one pool, one SSL context, no retries, no redirects."""
    context = create_urllib3_context()
    context.load_verify_locations(running.authority)
    pool = urllib3.HTTPSConnectionPool(HOST, running.https, maxsize=len(posts), ssl_context=context)
    threads = ThreadPoolExecutor(len(posts))

    def post(each: tuple[bytes, dict[str, str]]) -> int:
        body, headers = each
        return pool.urlopen("POST", "/hook", body, headers, retries=False, redirect=False).status

    def baseline() -> int:
        for _ in range(BATCHES):
            for status in threads.map(post, posts):
                if status != 200:
                    raise AssertionError(status)
        return BATCHES * len(posts)

    return baseline


def _deliveries(webhooks: Sequence[Webhook], batch: dict[str, Any]) -> list[tuple[Webhook, Delivery]]:
    by_id = {webhook.id: webhook for webhook in webhooks}
    opened = [decode_pack(record["body"]) for record in batch["Records"]]
    return [(by_id[pack.webhook_id], delivery) for pack in opened for delivery in pack.deliveries]


def _headers(app: DispatcherApp, webhook: Webhook, delivery: Delivery) -> dict[str, str]:
    app.signer.refresh()
    return dict(app.signer.request(webhook, delivery, now=1_790_000_000.0).headers)
