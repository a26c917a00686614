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
A packed delivery takes a whole write unit, five times the goal: the log has an item for each delivery, as a
repeat of an event, by its producer, by SQS or after a crash, is recognised by the item's key, which follows
from event and webhook alone (decision 7). An item for each pack would take 0.1 to 0.2 units; its key would
follow from the deliveries that happened to travel together, and a repeat that travels otherwise would be
sent again. Items by webhook and slice of time, added to by each pack, would keep the promise for 0.2 to 0.5
units and a call for each pack. The goal is in reach without the promise that repeats by producers are
recognised under load."""
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
