"""The AWS calls and units of an event and of a delivery, counted where botocore would send them.

Calls are the functions' own (Lambda receives and deletes messages itself); units follow from the bytes of
the items that are written and read. "Single": ten events of ten tenants, ten deliveries. "Packed": ten events
of one tenant, ten packs of ten. Every endpoint responds 200. "With a credential": the single deliveries, each
of a webhook whose credential has a secret of its own (SecretsManager), or is sealed in its item (Table).
"""

from collections.abc import Iterator

from benchmarks.consumption import Consumption, endpoint
from benchmarks.credentials import SHAPE, STORES, count_credentials
from benchmarks.figure import Goal, Measured, Reading
from benchmarks.shape_counts import count
from local.progress import Progress
from webhooks_cli.costs.figures import PACKED, SINGLE

TITLE = "AWS calls and units per event and delivery"
AGAINST = "nothing: these are counts"
KEY_SECRETS = 3  # that the first batch of a container reads beside credentials
BOUND = """\
A single delivery takes a whole write unit: the log has an item for it, by whose key a repeat is recognised.
Ten plain deliveries of a pack share one (decision 27), and their ten events a mark, by which fan-out
recognises repeats (decision 28)."""
GOALS = {"single": (Goal(0.35), Goal(1)), "packed": (Goal(0.06), Goal(0.2))}


def measure(progress: Progress) -> Measured:
    """Count both shapes."""
    readings = []
    for shape in (SINGLE, PACKED):
        with progress.step(f"{shape.name} deliveries"):
            counts = count(shape)
        calls, writes = GOALS[shape.name]
        deliveries, events = shape.deliveries_per_batch, shape.events_per_batch
        readings += [
            *_readings(shape.name, counts.dispatcher, deliveries, per="delivery", calls=calls, writes=writes),
            *_readings(f"{shape.name}, fan-out", counts.fanout, events, per="event"),
        ]
        both = (
            counts.dispatcher.write_units / deliveries + counts.fanout.write_units / events,
            _reads(counts.dispatcher) / deliveries + _reads(counts.fanout) / events,
        )
        readings += [
            Reading(f"{shape.name}, both: write units", [both[0]], "per delivery"),
            Reading(f"{shape.name}, both: read units", [both[1]], "per delivery"),
        ]
    with progress.step("credentials"), endpoint() as receiver:
        for store in STORES[1:]:
            readings += _credentials(store, receiver.url)
    return Measured(readings)


def _credentials(store: str, url: str) -> Iterator[Reading]:
    counted, deliveries = count_credentials(store, url), SHAPE.deliveries_per_batch
    opening = "Decrypt" if store == "Table" else "GetSecretValue"
    own = 0 if store == "Table" else KEY_SECRETS
    name = f"single, with a credential, {store}"
    first = (counted.first.calls[opening] - own) / deliveries
    yield Reading(f"{name}, first: calls of {opening}", [first], "per delivery")
    yield Reading(f"{name}, cached: calls", [counted.cached.calls.total() / deliveries], "per delivery")
    yield Reading(f"{name}, cached: read units", [_reads(counted.cached) / deliveries], "per delivery")


def _readings(
    name: str,
    counted: Consumption,
    share: int,
    *,
    per: str,
    calls: Goal | None = None,
    writes: Goal | None = None,
) -> list[Reading]:
    return [
        Reading(f"{name}: calls", [counted.calls.total() / share], f"per {per}", calls),
        *(
            Reading(f"{name}: calls of {operation}", [number / share], f"per {per}")
            for operation, number in sorted(counted.calls.items())
        ),
        Reading(f"{name}: write units", [counted.write_units / share], f"per {per}", writes),
        Reading(f"{name}: read units", [_reads(counted) / share], f"per {per}"),
    ]


def _reads(counted: Consumption) -> float:
    return sum(counted.read_units.values())
