"""A page of 25 of the delivery log of a webhook with 1,000,000 deliveries, and of one with 1,000.

It is the use case as functions/deliveries composes it. Of the deliveries, one in a hundred is dead, and is in
the indexes; the others are delivered. The pages: the newest, the oldest, which is the last one, and pages
that filter: the newest dead ones, which an index finds; and those of an event's name that no delivery has,
which are looked for in the log itself, among 1,000 deliveries at most. DynamoDB is stubbed below botocore by
tables that hold all of the deliveries and count billed units. In timed runs they respond with bytes that they
made before: their own work is not in it. The read units are also those of a log whose delivered ones share
items, ten each.
"""

import gc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import batched

from benchmarks import event_path
from benchmarks.figure import Chart, Goal, Line, Measured, Reading
from benchmarks.figures.pages import SECRETS, stored, webhooks
from benchmarks.paired import Work, cpu_of, cpu_ratios
from local.progress import Progress
from tests.aws_stub.responses import Respond, stub_aws
from tests.aws_stub.tables import Cost, Tables, remembered
from webhooks.adapters.dynamodb.delivery_log_items import entry_item
from webhooks.adapters.dynamodb.items import Item
from webhooks.adapters.dynamodb.shared_items import shared_item
from webhooks.bootstrap.deliveries import compose
from webhooks.domain.delivery import Attempt, Delivery, delivery_id
from webhooks.domain.delivery_log import LogEntry, LogKey, LogPage, LogQuery, Outcome, log_key
from webhooks.domain.http import PhaseTimes
from webhooks.services.delivery_log import DeliveryLogs

TITLE = "A page of the delivery log of 1,000,000 deliveries"
AGAINST = "the same page of a log of 1,000"
GOAL = Goal(1.1)
SIZES = (1_000, 10_000, 100_000, 1_000_000)
FEW, MANY = SIZES[0], SIZES[-1]
PAGE = 25
DEAD = 100  # one delivery in so many
READS = 100  # in one run
DAYS = 30
BEGAN = 1_790_000_000_000  # epoch ms, of the first event
APART = 1000  # ms between two events
SHARED, SHARED_APART, SHARED_MANY = 10, 50, 100_000  # of logs with shared items
ATTEMPT = Attempt(
    at=BEGAN, latency_ms=81, status=200, address="192.0.2.17", times=PhaseTimes(3, 14, 41, 79, 80)
)
FAILED = replace(ATTEMPT, status=500, excerpt="database is locked")


@dataclass(frozen=True, slots=True)
class Log:
    """A webhook's log with so many deliveries, and its reader: with billed units, and timed."""

    size: int
    tables: Tables
    billed: DeliveryLogs
    timed: DeliveryLogs


@dataclass(frozen=True, slots=True)
class Asked:
    """A page. `found`: how many deliveries it has."""

    query: LogQuery
    found: int = PAGE
    after: int | None = None  # the number of the delivery behind which it begins


WEBHOOK = next(webhooks(1))
EVERY = LogQuery(event_path.SCOPE, WEBHOOK.id)
PAGES = {
    "the newest": Asked(EVERY),
    "the oldest": Asked(EVERY, after=PAGE),
    "the newest dead ones": Asked(replace(EVERY, outcome=Outcome.DEAD), found=10),
    "a name that none has": Asked(replace(EVERY, event_name="order.none"), found=0),
}


def measure(progress: Progress) -> Measured:
    """Measure each page of each log."""
    logs = {}
    for size in SIZES:
        with progress.step(f"load {size:,} deliveries"):
            logs[size] = log_of(size)
    gc.collect()
    gc.freeze()  # a function's own heap has no tables, which its collector would walk
    readings, lines, remarks = [], {}, []
    for name, asked in PAGES.items():
        with progress.step(f"{name}, in paired runs"):
            costs = {size: log.tables.cost(_reads(log.billed, asked, times=1)) for size, log in logs.items()}
            ratios = cpu_ratios(_reads(logs[MANY].timed, asked), _reads(logs[FEW].timed, asked))
            lines[name] = [(size, cpu_of(_reads(log.timed, asked)) * 1000) for size, log in logs.items()]
        few, many = costs[FEW], costs[MANY]
        readings += [
            Reading(f"read units, {name}", [many.read_units / few.read_units], goal=GOAL),
            Reading(f"CPU time, {name}", ratios, goal=GOAL),
        ]
        remarks.append(_says(name, asked, many=many, line=lines[name]))
    with progress.step("a log of shared items"):
        readings += _shared()
    chart = Chart("cpu", f"CPU of a page of {PAGE} deliveries", "deliveries", "CPU time (ms)", lines, log="x")
    return Measured(readings, [chart], remarks)


def _shared() -> list[Reading]:
    """Measure the pages of a log whose delivered ones share items."""
    log = log_of(SHARED_MANY, each=SHARED)
    return [
        Reading(
            f"{name}, shared items",
            [log.tables.cost(_reads(log.billed, asked, times=1)).read_units],
            "read units",
        )
        for name, asked in PAGES.items()
        if asked.after is None
    ]


def log_of(size: int, *, each: int = 1) -> Log:
    """Make a log; `each`: how many delivered ones share an item."""
    tables = Tables(SECRETS)
    tables.load(event_path.SUBSCRIPTIONS, stored([WEBHOOK]))
    tables.load(event_path.DELIVERIES, items(size) if each == 1 else shared_items(size, each))
    return Log(size, tables, reader(tables.response), reader(remembered(tables.response)))


def reader(respond: Respond) -> DeliveryLogs:
    """Compose functions/deliveries with these responses."""
    event_path.set_environment()
    app = compose()
    event_path.discard_log()
    stub_aws(app.aws, respond)
    return app.log


def items(size: int) -> Iterator[Item]:
    """Return the items that so many deliveries leave in the table, in the order of their events."""
    return (entry_item(entry, DAYS) for entry in entries(size))


def shared_items(size: int, each: int) -> Iterator[Item]:
    """Return the items of a log in which so many delivered ones share each."""
    by_outcome: dict[bool, list[LogEntry]] = {True: [], False: []}
    for entry in entries(size, apart=SHARED_APART):
        by_outcome[entry.outcome is Outcome.DELIVERED].append(entry)
    yield from (entry_item(entry, DAYS) for entry in by_outcome[False])
    for some in batched(by_outcome[True], each, strict=False):
        if (item := shared_item(some, DAYS)) is not None:
            yield item


def entries(size: int, *, apart: int = APART) -> Iterator[LogEntry]:
    """Return so many deliveries, in the order of their events, which are so many ms apart."""
    for number in range(1, size + 1):
        made = delivery(number, apart=apart)
        is_dead = number % DEAD == 0
        yield LogEntry(
            log_key(WEBHOOK.id, made),
            replace(made, attempts=(FAILED if is_dead else ATTEMPT,)),
            event_path.SCOPE,
            Outcome.DEAD if is_dead else Outcome.DELIVERED,
            made.log_time + 100,
            reason="HTTP 500" if is_dead else None,
            has_payload=is_dead,
        )


def delivery(number: int, *, apart: int = APART) -> Delivery:
    event_id, log_time = f"5f2b8f9e-0b1d-4c57-9d0e-{number:012x}", BEGAN + number * apart
    return Delivery(
        delivery_id(event_id, WEBHOOK.id, log_time=log_time), event_id, event_path.NAME, log_time, ""
    )


def _reads(use_cases: DeliveryLogs, asked: Asked, *, times: int = READS) -> Work:
    after: LogKey | None = log_key(WEBHOOK.id, delivery(asked.after + 1)) if asked.after else None

    def reads() -> int:
        for _ in range(times):
            page: LogPage = use_cases.page(asked.query, after=after, size=min(PAGE, asked.found or PAGE))
            if len(page.entries) != asked.found:
                raise AssertionError(page)
        return times

    return reads


def _says(name: str, asked: Asked, *, many: Cost, line: Line) -> str:
    return (
        f"{name[0].upper()}{name[1:]}, {asked.found} of {MANY:,}: {many.calls:.0f} calls, "
        f"{many.read_units:.3g} read units and {line[-1][1]:.2f} ms of CPU; of {FEW:,}: {line[0][1]:.2f} ms. "
        "One call and one unit of these look for the webhook."
    )
