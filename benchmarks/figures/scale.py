"""The cost of an operation by the number of webhooks, of tenants, and of events in a backlog.

Growth is the slope of a line through the logarithms: 0 where a cost stays, 1 where it grows as the number
does. The operations are the use cases as the functions compose them, with AWS stubbed below botocore by
tables that hold all of the webhooks and count billed units; CPU time is without that of the tables.

- Webhooks: a tenant with 1 to 100,000, all of them listening to one event's name, and one to another, rare
  one. The growth of a page counts from 100 on, where it is full; that of operations that must grow from 1,000
  on, where it no longer hides behind the fixed cost. The steepest line without a delivery is an event with
  listeners that matches none: the index finds webhooks by the event's name, and reads each of their queries.
- Tenants: 1 to 1,000 with 100 webhooks each, and for fan-out 1 to 10,000 with one; every operation is another
  tenant's than the one before. A function that has read the index has had an event of each tenant.
- Backlogs: 100,000 events in batches of 10 for 200 webhooks, through the whole handlers; the HTTP client is
  stubbed at its port. The last tenth is compared with the first, in five parts each. Minutes lie between
  them, and the machine may become slower or faster meanwhile: the goal is for a part's quickest twentieth of
  batches, which that affects least; the means of all batches are beside it, and in the chart.
"""

import gc
import itertools
import json
import math
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import event_path
from benchmarks.figure import Chart, Goal, Measured, Reading, number
from benchmarks.figures.matching import RELIED_ON, message
from benchmarks.figures.pages import CALLER, PAGE, SECRETS, api, listening_to, stored, webhooks
from benchmarks.paired import Work
from local.progress import Progress
from tests.aws_stub.responses import stub_aws
from tests.aws_stub.tables import Cost, Tables
from tests.fakes.endpoint import OneByOne
from webhooks.bootstrap.dispatcher import compose as compose_dispatcher
from webhooks.bootstrap.fanout import FanoutApp
from webhooks.bootstrap.runtime import invocation
from webhooks.bootstrap.webhooks import WebhooksApp
from webhooks.domain.http import HttpOutcome, HttpRequest, HttpResponse
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook
from webhooks.entrypoints.sqs import Handler
from webhooks.services.fanout.pipeline import Fanout
from webhooks.services.fanout.stages import EventMessage
from webhooks.services.idempotency import CommunityRequest
from webhooks.services.webhook_pages import WebhookFilter

TITLE = "Growth with webhooks, tenants and backlogs"
AGAINST = "the same with fewer of them"
BOUND = (
    "In a segment of 4,096 sequence numbers the bits of the webhooks before a page are taken one by one: the "
    "CPU of the last page grows up to 4,096 webhooks, and no further."
)
STAYS, PROPORTIONAL, STEADY = Goal(0.1), Goal(1.1), Goal(1.1)
SIZES = (1, 10, 100, 1_000, 10_000, 100_000)  # webhooks of a tenant
TENANTS, EACH = (1, 10, 100, 1_000), 100  # webhooks of each tenant
MANY = (1, 10, 100, 1_000, 10_000)  # tenants with one webhook
REPEATS, FEW = 5, 3
BILLED = ("calls", "read_units", "write_units")
RARE, TAG = "order.rare", "blue"  # the event that one webhook listens to; the tag that all have
BACKLOG, BATCH, SCOPES = 100_000, 10, 200  # events, of a batch, and webhooks that they are for
SLICES, TENTH = 50, 5  # of a backlog, and of a tenth of it
QUICKEST = 20  # one batch in so many
OTHERS = SECRETS | {
    "SendMessageBatch": event_path.sent(10),
    "DeleteMessageBatch": b'{"Successful":[]}',
    "BatchWriteItem": b'{"UnprocessedItems":{}}',
}
EVENTS_QUEUE = json.dumps(event_path.ENVIRONMENT["EVENTS_QUEUE_URL"]).encode()


def measure(progress: Progress) -> Measured:
    """Measure the backlogs first: nothing else is in the process's memory then."""
    backlogs = {}
    for name, prepare in (("fan-out", _fanout_backlog), ("dispatcher", _dispatcher_backlog)):
        with progress.step(f"{name}: a backlog of {BACKLOG:,} events"):
            backlogs[name] = work_off(*prepare())
    with progress.step(f"load {sum(SIZES) + EACH * sum(TENANTS[1:]):,} webhooks"):
        apps = {(1, size): deployment(1, size) for size in SIZES}
        apps |= {(count, EACH): deployment(count, EACH) for count in TENANTS if (count, EACH) not in apps}
        gc.collect()
        gc.freeze()  # a function's own heap has no tables, which its collector would walk
    with progress.step("operations at every size, in turn"):
        costs = dict(measured(READS, list(apps.values()), repeats=REPEATS))
        costs |= measured(WRITES, list(apps.values()), repeats=REPEATS)
    with progress.step(f"fan-out for up to {MANY[-1]:,} tenants"):
        single = {count: deployment(count, 1) for count in MANY}
        many = measured({READ: READS[READ]}, list(single.values()), repeats=REPEATS)
    with progress.step("events that a tenant's webhooks all listen to"):
        costs |= measured(WIDE, [apps[1, size] for size in SIZES], repeats=FEW)
    parts = (
        _axis("webhooks", {size: apps[1, size] for size in SIZES}, costs),
        _axis("tenants", {count: apps[count, EACH] for count in TENANTS}, costs),
        _axis("tenants with one webhook", single, many),
        _backlog_says(backlogs),
    )
    return Measured(
        [each for readings, _, _ in parts for each in readings],
        [each for _, charts, _ in parts for each in charts],
        [each for _, _, remarks in parts for each in remarks],
    )


@dataclass(slots=True)
class Queues:
    """Responds as the tables do. `slices`: sent to the events queue; `sends`: calls that send packs."""

    tables: Tables
    slices: list[str] = field(default_factory=list)
    sends: int = 0

    def response(self, operation: str, body: bytes) -> bytes:
        response = self.tables.response(operation, body)
        if operation == "SendMessageBatch":
            if EVENTS_QUEUE in body[:200]:
                self.slices += [entry["MessageBody"] for entry in json.loads(body)["Entries"]]
            else:
                self.sends += 1
        return response


@dataclass(slots=True)
class Deployment:
    """So many tenants with so many webhooks each, and the functions for them."""

    tenants: int
    size: int
    tables: Tables
    queues: Queues
    fanout: FanoutApp
    api: WebhooksApp
    made: list[tuple[Scope, str]] = field(default_factory=list)
    has_read: bool = False
    turns: dict[str, Iterator[Scope]] = field(init=False)

    def __post_init__(self) -> None:
        self.turns = defaultdict(lambda: itertools.cycle(scopes(self.tenants)))

    def read_all(self) -> None:
        """Let fan-out have had an event of each tenant, of the first one after its first epoch too."""
        if not self.has_read:
            for scope in [*scopes(self.tenants), Scope("tenant-0", event_path.SCOPE.community_id)]:
                self.fanout.fanout.fan_out([message(scope, eventName=RARE)])
            self.has_read = True

    @property
    def numbers(self) -> tuple[int, int]:
        """The numbers of tenants, and of webhooks of each."""
        return self.tenants, self.size


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that is done `count` times in a row. `since`: webhooks from which its growth counts."""

    work: Callable[[Deployment, Sequence[Scope]], Work]
    count: int
    since: int = 1
    goal: Goal = STAYS


type Costs = Mapping[str, Mapping[tuple[int, int], Sequence[Cost]]]


def deployment(tenants: int, size: int) -> Deployment:
    tables = Tables(OTHERS)
    for scope in scopes(tenants):
        tables.load(event_path.SUBSCRIPTIONS, stored(_listening(size, scope)))
    tables.load(event_path.SUBSCRIPTIONS, [RELIED_ON])
    fanout: FanoutApp = event_path.function("fanout").app
    queues = Queues(tables)
    stub_aws(fanout.aws, queues.response)
    return Deployment(tenants, size, tables, queues, fanout, api(tables.response))


def scopes(tenants: int) -> list[Scope]:
    return [Scope(f"tenant-{position}", event_path.SCOPE.community_id) for position in range(tenants)]


def _listening(size: int, scope: Scope) -> Iterator[Webhook]:
    for position, webhook in enumerate(webhooks(size, scope, tags=(TAG,))):
        yield listening_to(webhook, event_path.NAME, RARE) if position == size // 2 else webhook


def measured(operations: Mapping[str, Operation], apps: Sequence[Deployment], *, repeats: int) -> Costs:
    """Measure the operations in all deployments in turn, once more than is counted."""
    costs: dict[str, dict[tuple[int, int], list[Cost]]] = defaultdict(lambda: defaultdict(list))
    for repeat in range(repeats + 1):
        for each in apps:
            for name, operation in operations.items():
                chosen = list(itertools.islice(each.turns[name], operation.count))
                cost = each.tables.cost(operation.work(each, chosen))
                if repeat:
                    costs[name][each.numbers].append(cost)
    return costs


def _fans_out(*, fresh: bool, wanted_by: Callable[[Deployment], int], **event: Any) -> Callable[..., Work]:
    """Return the fan-out of events one by one; `fresh`: each by a function that has read nothing before."""

    def prepare(each: Deployment, chosen: Sequence[Scope]) -> Work:
        messages = [message(scope, **event) for scope in chosen]
        if not fresh:
            each.read_all()
        known, sends = each.fanout, math.ceil(wanted_by(each) / BATCH) * len(chosen)

        def work() -> int:
            each.queues.sends = 0
            for one in messages:
                function = _unread(known) if fresh else known.fanout
                if function.fan_out([one]):
                    raise AssertionError(one)
                while each.queues.slices:
                    if function.fan_out([EventMessage("slice", each.queues.slices.pop(), 0)]):
                        raise AssertionError(one)
            if each.queues.sends != sends:
                raise AssertionError(each.tables.calls)
            return len(messages)

        return work

    return prepare


def _unread(known: FanoutApp) -> Fanout:
    return Fanout(
        index=known.index,
        seen=known.seen,
        reader=known.reader,
        lane=known.fast_lane,
        events=known.events,
        events_dlq=known.events_dlq,
        rng=lambda: 0.0,
        clock=time.time,
        time_left=invocation.left,
    )


def _lists(*, last: bool = False, tags: Sequence[str] = ()) -> Callable[..., Work]:
    def prepare(each: Deployment, chosen: Sequence[Scope]) -> Work:
        index = max(0, each.size // PAGE - 1) if last else 0

        def work() -> int:
            for scope in chosen:
                wanted = WebhookFilter(tags=tags)
                found, _ = each.api.pages.fetch(_request(scope), index=index, size=PAGE, wanted=wanted)
                if found.total != each.size or len(found.webhooks) != min(PAGE, each.size):
                    raise AssertionError(found)
            return len(chosen)

        return work

    return prepare


def _creates(each: Deployment, chosen: Sequence[Scope]) -> Work:
    definition = next(webhooks(1, tags=(TAG,))).definition

    def work() -> int:
        for scope in chosen:
            response = each.api.webhooks.create(
                _request(scope),
                definition=definition,
                credential=None,
                respond=each.api.responses.created,
            )
            each.made.append((scope, json.loads(response)["_id"]))
        return len(chosen)

    return work


def _deletes(each: Deployment, chosen: Sequence[Scope]) -> Work:
    def work() -> int:
        for scope, webhook_id in each.made:
            each.api.webhooks.delete(_request(scope), webhook_id)
        each.made.clear()
        return len(chosen)

    return work


def _request(scope: Scope) -> CommunityRequest:
    return CommunityRequest(CALLER, scope, f"benchmark-{next(_NUMBERS)}", int(time.time()) + 600)


_NUMBERS = itertools.count()
READ = "fan-out, the index read before"
READS = {
    "fan-out, nothing read before": Operation(
        _fans_out(fresh=True, wanted_by=lambda _: 1, eventName=RARE), 100
    ),
    READ: Operation(_fans_out(fresh=False, wanted_by=lambda _: 1, eventName=RARE), 100),
    "first page": Operation(_lists(), 30, since=100),
    "last page": Operation(_lists(last=True), 30, since=100),
    "first page of a tag": Operation(_lists(tags=(TAG,)), 30, since=100),
}
WRITES = {"create": Operation(_creates, 20), "delete": Operation(_deletes, 20)}
WIDE = {
    "fan-out to all": Operation(
        _fans_out(fresh=True, wanted_by=lambda each: each.size), 1, since=1_000, goal=PROPORTIONAL
    ),
    "fan-out to none of the listeners": Operation(
        _fans_out(fresh=True, wanted_by=lambda _: 0, data={"currency": "USD"}),
        1,
        since=1_000,
        goal=PROPORTIONAL,
    ),
}

type Said = tuple[list[Reading], list[Chart], list[str]]


def _axis(name: str, along: Mapping[int, Deployment], costs: Costs) -> Said:
    """Say how the operations that were measured in all of these deployments grow with their number."""
    readings, cpu, units, remarks = [], {}, {}, []
    for title, operation in (READS | WRITES | WIDE).items():
        points = {n: costs[title][each.numbers] for n, each in along.items() if each.numbers in costs[title]}
        if len(points) < len(along):
            continue
        counted = {n: each for n, each in points.items() if along[n].size >= operation.since}
        samples = [_growth(counted, "cpu", repeat) for repeat in range(len(points[max(points)]))]
        billed = max(_growth(counted, cost) for cost in BILLED)
        readings += [
            Reading(f"{title}: growth of CPU with {name}", samples, unit="", goal=operation.goal),
            Reading(
                f"{title}: growth of calls and units with {name}", [billed], unit="", goal=operation.goal
            ),
        ]
        cpu[title] = [(n, _cpu(each) * 1000) for n, each in points.items()]
        units[title] = [(n, each[0].read_units + each[0].write_units) for n, each in points.items()]
        ends = "; ".join(f"at {n:,}, {_written(points[n])}" for n in (min(points), max(points)))
        remarks.append(f"{title}, by {name}: {ends}.")
    label = f"number of {name}"
    charts = [
        Chart(f"{name} cpu", f"CPU of an operation by {name}", label, "CPU time (ms)", cpu, log="xy"),
        Chart(
            f"{name} units",
            f"Read and write units of an operation by {name}",
            label,
            "read and write units",
            units,
            log="xy",
        ),
    ]
    return readings, charts, remarks


def _growth(points: Mapping[int, Sequence[Cost]], cost: str, repeat: int = 0) -> float:
    """Return the slope of log cost over log number; 0 for a cost of 0."""
    costs = {n: getattr(each[repeat], cost) for n, each in points.items()}
    if not all(costs.values()):
        return 0.0
    return statistics.linear_regression([*map(math.log, costs)], [*map(math.log, costs.values())]).slope


def _cpu(costs: Sequence[Cost]) -> float:
    return statistics.median(cost.cpu for cost in costs)


def _written(costs: Sequence[Cost]) -> str:
    units = (f"{cost.replace('_', ' ')} {number(getattr(costs[0], cost))}" for cost in BILLED)
    return f"CPU {number(_cpu(costs) * 1000)} ms, {', '.join(units)}"


type Batches = Callable[[int], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a backlog: CPU seconds of an event, of all batches and of the quickest; memory in bytes."""

    mean: float
    quick: float
    resident: int


def work_off(handler: Handler, tables: Tables, batch: Batches) -> list[Slice]:
    """Give a backlog to a function's handler, which has had events for all of its communities before."""
    for position in range(2 * SCOPES // BATCH):
        _handle(handler, tables, batch(position))
    size = BACKLOG // BATCH // SLICES
    slices = []
    for first in range(0, BACKLOG // BATCH, size):
        costs = [_handle(handler, tables, batch(position)).cpu for position in range(first, first + size)]
        quick = statistics.quantiles(costs, n=QUICKEST)[0]
        slices.append(Slice(statistics.fmean(costs), quick, _resident()))
    return slices


def _handle(handler: Handler, tables: Tables, event: dict[str, Any]) -> Cost:
    def work() -> int:
        response = handler(event, None)
        if response["batchItemFailures"]:
            raise AssertionError(response)
        return BATCH

    return tables.cost(work)


def _resident() -> int:
    pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _fanout_backlog() -> tuple[Handler, Tables, Batches]:
    chosen, tables = scopes(SCOPES), Tables(OTHERS)
    for scope in chosen:
        tables.load(event_path.SUBSCRIPTIONS, stored(webhooks(1, scope)))
    function = event_path.function("fanout")
    stub_aws(function.app.aws, tables.response)

    def batch(position: int) -> dict[str, Any]:
        numbers = range(position * BATCH, (position + 1) * BATCH)
        texts = [message(chosen[each % SCOPES], number=each).text for each in numbers]
        return event_path.batch("events", texts)

    return function.lambda_handler, tables, batch


def _dispatcher_backlog() -> tuple[Handler, Tables, Batches]:
    owned, tables = list(webhooks(SCOPES)), Tables(OTHERS)
    tables.load(event_path.SUBSCRIPTIONS, stored(owned))
    function = event_path.function("dispatcher")
    app = compose_dispatcher(http=OneByOne(_Prompt()))
    event_path.discard_log()
    stub_aws(app.aws, tables.response)

    def batch(position: int) -> dict[str, Any]:
        numbers = range(position * BATCH, (position + 1) * BATCH)
        return event_path.deliveries_batch([(owned[each % SCOPES], [each]) for each in numbers])

    return function.handler(app), tables, batch


class _Prompt:
    def send(self, _request: HttpRequest, *, seconds: float) -> HttpOutcome:  # noqa: ARG002 - the port's
        return HttpResponse(200, None, "", latency_ms=1, address="192.0.2.1")


def _backlog_says(backlogs: Mapping[str, Sequence[Slice]]) -> Said:
    readings, cpu, memory, remarks = [], {}, {}, []
    for name, slices in backlogs.items():
        tenths = list(zip(slices[:TENTH], slices[-TENTH:], strict=True))
        for title, field_name, goal in (
            ("CPU of an event", "quick", STEADY),
            ("CPU of an event, mean", "mean", None),
            ("memory", "resident", STEADY),
        ):
            ratios = [getattr(last, field_name) / getattr(first, field_name) for first, last in tenths]
            readings.append(Reading(f"backlog, {name}: {title}", ratios, goal=goal))
        done = [BACKLOG // SLICES * (position + 1) for position in range(SLICES)]
        cpu[name] = [(n, each.mean * 1000) for n, each in zip(done, slices, strict=True)]
        memory[name] = [(n, each.resident / 2**20) for n, each in zip(done, slices, strict=True)]
        gained = (slices[-1].resident - slices[0].resident) / (done[-1] - done[0])
        remarks.append(
            f"{name}, {BACKLOG:,} events: {statistics.median(each.mean for each in slices) * 1000:.2f} ms of "
            f"CPU each; memory grew by {gained:.1f} bytes an event."
        )
    charts = [
        Chart(
            "backlog cpu",
            "CPU of an event over a backlog",
            "events handled",
            "CPU time of an event (ms)",
            cpu,
        ),
        Chart("backlog memory", "Memory over a backlog", "events handled", "memory (MiB)", memory),
    ]
    return readings, charts, remarks
