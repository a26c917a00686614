"""The whole handler of functions/dispatcher on batches of 10 messages, AWS stubbed below botocore.

Against a bare loop of urllib3 that sends the same POSTs (bodies, headers, kept TLS connections) from as
many threads as the dispatcher has deliveries in flight; and, as the limit, against a bare loop of libcurl
that sends them from one thread. Both only send; the dispatcher signs, decides, logs, records, and makes two
AWS calls a batch.

A function of 512 MB has less than one core, so the goals are those on one core. On several cores the
hundred threads of urllib3 compete for the interpreter's lock, and take more CPU.
"""

import os
from collections.abc import Sequence
from typing import Any

from benchmarks import event_path
from benchmarks.bare_loops import Post, Receiver, libcurl_loop, urllib3_loop
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
AGAINST = "a bare urllib3 loop of the same POSTs at the same concurrency; and a bare libcurl loop"
BOUND = """\
Of a single delivery's CPU on one core about 17 % is the two curve operations, 14 % libcurl itself, 8 % the
two AWS calls; of a packed one 25, 18 and 3 %. Curves and libcurl alone take two fifths of what urllib3's loop
takes, which does not sign. The rest has no large part left: decoding, guard, caps and times of each request,
the decision, and the log's item, all of it Python. 1.0 for single deliveries needs a fourth less of
everything; 1.5 for packed ones leaves little beside curves, libcurl and guard."""
BATCH = 10  # messages
ALL_CORES = os.sched_getaffinity(0)
ONE_CORE = {max(ALL_CORES)}
BATCHES = 20  # in one run


def measure(progress: Progress) -> Measured:
    readings = []
    with null_receiver() as running:
        for name, size, goal in (
            ("10 single deliveries", 1, Goal(1.0, at_least=True)),
            ("10 packs of 10", 10, Goal(1.5, at_least=True)),
        ):
            for where, cores in ((", on one core", ONE_CORE), ("", ALL_CORES)):
                os.sched_setaffinity(0, cores)  # before any thread is started, as threads take it over
                subject, by_urllib3, by_libcurl = works(running, size)
                reading = f"{name}{where}"
                with progress.step(reading):
                    ratios = _rates(subject, by_urllib3)
                readings.append(Reading(reading, ratios, goal=goal if cores is ONE_CORE else None))
                with progress.step(f"{reading}, of libcurl"):
                    readings.append(Reading(f"{reading}, of libcurl", _rates(subject, by_libcurl)))
            os.sched_setaffinity(0, ALL_CORES)
    return Measured(readings)


def works(running: NullReceiver, size: int) -> tuple[Work, Work, Work]:
    """Return the dispatcher's work on batches of packs of a size; the same POSTs by urllib3, by libcurl."""
    os.environ["SSL_CERT_FILE"] = str(running.authority)
    url = f"https://{HOST}:{running.https}/hook"
    webhooks = [event_path.webhook(number, url) for number in range(1, BATCH + 1)]
    function = event_path.function("dispatcher")
    stub_aws(function.app.aws, canned(event_path.responses(webhooks)))
    batch = packs(webhooks, size)
    posts = [
        Post(delivery.body.encode(), _headers(function.app, webhook, delivery))
        for webhook, delivery in _deliveries(webhooks, batch)
    ]

    def subject() -> int:
        for _ in range(BATCHES):
            response = function.lambda_handler(batch, None)
            if response["batchItemFailures"]:
                raise AssertionError(response)
        return BATCHES * len(posts)

    receiver = Receiver(HOST, running.https, running.authority)
    return (
        subject,
        urllib3_loop(receiver, posts, rounds=BATCHES),
        libcurl_loop(receiver, posts, rounds=BATCHES),
    )


def _rates(subject: Work, baseline: Work) -> list[float]:
    """Return the operations of a CPU second of the subject over those of the baseline."""
    return [1 / ratio for ratio in cpu_ratios(subject, baseline)]


def packs(webhooks: Sequence[Webhook], size: int) -> dict[str, Any]:
    return event_path.deliveries_batch(
        [
            (webhook, range(position * size, position * size + size))
            for position, webhook in enumerate(webhooks)
        ]
    )


def _deliveries(webhooks: Sequence[Webhook], batch: dict[str, Any]) -> list[tuple[Webhook, Delivery]]:
    by_id = {webhook.id: webhook for webhook in webhooks}
    opened = [decode_pack(record["body"]) for record in batch["Records"]]
    return [(by_id[pack.webhook_id], delivery) for pack in opened for delivery in pack.deliveries]


def _headers(app: DispatcherApp, webhook: Webhook, delivery: Delivery) -> dict[str, str]:
    app.signer.refresh()
    return dict(app.signer.request(webhook, delivery, now=1_790_000_000.0).headers)
