"""The AWS calls of a delivery, counted where botocore would send them; every endpoint responds 200.

Calls are the dispatcher's (Lambda receives and deletes messages itself); write units follow from the bytes
of the items that are written.
"""

from benchmarks import event_path
from benchmarks.figure import Goal, Measured, Reading
from benchmarks.figures.dispatcher import packs
from benchmarks.null_receiver import null_receiver
from local.progress import Progress
from tests.aws_stub.counts import Counts, counting
from tests.aws_stub.responses import canned, stub_aws

TITLE = "AWS calls and write units per delivery"
AGAINST = "nothing: these are counts"
BOUND = """\
A single delivery takes a whole write unit: the log has an item for it, by whose key a repeat is recognised.
Ten plain deliveries of a pack share one (decision 27); fan-out answers for the repeats of their events."""
BATCH = 10  # messages


def measure(progress: Progress) -> Measured:
    readings = []
    with null_receiver() as running:
        for name, size, calls, units in (("single", 1, 0.35, 1), ("packed", 10, 0.06, 0.2)):
            with progress.step(f"{name} deliveries"):
                counts = _count(f"http://127.0.0.1:{running.http}/hook", size)
                deliveries = BATCH * size
            readings += [
                Reading(f"{name}: calls", [counts.calls.total() / deliveries], "per delivery", Goal(calls)),
                Reading(
                    f"{name}: write units", [counts.write_units / deliveries], "per delivery", Goal(units)
                ),
            ]
    return Measured(readings)


def _count(url: str, size: int) -> Counts:
    function = event_path.function("dispatcher")
    webhooks = [event_path.webhook(number, url) for number in range(1, BATCH + 1)]
    counts = Counts()
    stub_aws(function.app.aws, counting(canned(event_path.responses(webhooks)), counts))
    function.lambda_handler(packs(webhooks, size), None)  # it reads the keys, which are kept from then on
    counts.clear()
    function.lambda_handler(packs(webhooks, size), None)
    return counts
