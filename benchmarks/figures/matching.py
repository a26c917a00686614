"""The webhooks that an event goes to, found among 100,000 in a community and among 1,000.

In both communities 10 webhooks listen to the event's name and want it; the others listen to other names, 10
to each. It is all that fan-out does with an event of 350 bytes but for sending: parse it, read the
community's version, query the index, evaluate the queries, pack and log; by a function that has read nothing
before, and by one that has read the index and learns from the version that it still holds. The scan does the
same without an index: it reads every webhook of the community and evaluates those that list the name.

DynamoDB is stubbed below botocore by tables that hold all of the webhooks and count billed units. In timed
runs they respond with bytes that they made before: their own work is in neither side.
"""

import gc
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from benchmarks import event_path
from benchmarks.conditions import Measurement
from benchmarks.figure import Goal, Measured, Reading
from benchmarks.figures.pages import listening_to, stored, webhooks
from benchmarks.paired import Work, cpu_of, cpu_ratios
from local.progress import Progress
from tests.aws_stub.responses import Respond, stub_aws
from tests.aws_stub.tables import Tables, remembered
from tests.fakes.fanout_reader import FakeFanoutReader
from tests.fakes.plain_index import PlainIndex
from tests.fakes.seen_events import FakeSeenEvents
from webhooks.adapters.dynamodb.keys import EPOCH, community_pk
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.dynamodb.webhook_items import webhook_from
from webhooks.bootstrap.fanout import FanoutApp
from webhooks.domain.delivery import Pack
from webhooks.domain.event_array import ArrayPart
from webhooks.domain.event_slice import EventSlice, Span
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import IndexEntry, Webhook
from webhooks.ports import ListenerPage, SubscriptionIndex, Versions
from webhooks.services.fanout.pipeline import Fanout
from webhooks.services.fanout.stages import EventMessage

TITLE = "Matching at 100,000 webhooks"
AGAINST = "matching at 1,000, as many of them matching; a scan of all 100,000"
GOAL, SCAN_GOAL = Goal(1.5), Goal(1000, at_least=True)
SMALL, LARGE = 1_000, 100_000  # webhooks of a community
MATCHES = 10  # and as many webhooks for each other name
EVENTS = 300  # in one run
RELIED_ON = EPOCH | {"version": {"N": "1"}, "since": {"N": "0"}}
SCAN_PAIRS = 5  # a scan takes seconds


class Taken:
    def __init__(self) -> None:
        self.packs = 0

    def send(self, packs: Sequence[Pack]) -> Sequence[Pack]:
        self.packs += len(packs)
        return ()


class Scan(PlainIndex):
    """The search for listeners without the index."""

    def __init__(self, app: FanoutApp) -> None:
        self._index = app.index
        self._table = Table(app.aws, event_path.SUBSCRIPTIONS)

    def versions(self, scopes: Sequence[Scope]) -> Versions:
        return self._index.versions(scopes)

    def listeners(self, scope: Scope, event_name: str, *, span: Span, limit: int) -> ListenerPage:
        """Read every webhook of the community, whatever the span and the limit."""
        del span, limit
        items = self._table.query(community_pk(scope), prefix="W#")
        found = [
            IndexEntry(webhook.id, webhook.definition.criteria, webhook.definition.query)
            for webhook in (webhook_from(item, scope) for item in items)
            if webhook.enabled and event_name in webhook.definition.event_names
        ]
        return ListenerPage(found, next_sequence=None, bytes=0)

    def last_sequence(self, scope: Scope, event_name: str) -> int:
        return self._index.last_sequence(scope, event_name)


def measure(progress: Progress) -> Measured:
    """Measure both communities with a cold and a warm function, then the scan."""
    tables = Tables()
    with progress.step(f"load {LARGE + SMALL:,} webhooks"):
        for size in (SMALL, LARGE):
            tables.load(event_path.SUBSCRIPTIONS, stored(community(size)))
        tables.load(event_path.SUBSCRIPTIONS, [RELIED_ON])
        gc.freeze()  # a function's own heap has no tables, which its collector would walk
    billed, timed = composed(tables.response), composed(remembered(tables.response))
    readings, remarks = [], []
    for name, run in (("nothing read before", _cold), ("the index read before", _warm)):
        with progress.step(name):
            small, large = (run(timed.index, size) for size in (SMALL, LARGE))
            readings.append(Reading(f"CPU time, {name}", cpu_ratios(large, small), goal=GOAL))
            costs = {size: tables.cost(run(billed.index, size, events=1)) for size in (SMALL, LARGE)}
            ratio = costs[LARGE].read_units / costs[SMALL].read_units
            readings.append(Reading(f"read units, {name}", [ratio], goal=GOAL))
            remarks.append(
                f"An event at {LARGE:,} webhooks, {name}: {cpu_of(large) * 1000:.2f} ms of CPU, "
                f"calls: {costs[LARGE].calls:.0f}, read units: {costs[LARGE].read_units:.0f}."
            )
    with progress.step("listeners by condition"):
        more, said = Measurement(lambda: _composed(billed.index), tables).run()
        readings += more
        remarks += said
    with progress.step("scan"):
        scan, found = _cold(Scan(timed), LARGE, events=1), _cold(timed.index, LARGE)
        readings.append(
            Reading("times faster than a scan", cpu_ratios(scan, found, pairs=SCAN_PAIRS), goal=SCAN_GOAL)
        )
        cost = tables.cost(_cold(Scan(billed), LARGE, events=1))
        remarks.append(
            f"A scan for an event: {cpu_of(scan):.1f} s of CPU, calls: {cost.calls:.0f}, "
            f"read units: {cost.read_units:,.0f}."
        )
    return Measured(readings, remarks=remarks)


def composed(respond: Respond) -> FanoutApp:
    """Return fan-out with these responses; its log goes to the null device."""
    app: FanoutApp = event_path.function("fanout").app
    stub_aws(app.aws, respond)
    return app


def community(size: int) -> Iterator[Webhook]:
    """Make a community's webhooks, those that match as far apart as can be."""
    apart = size // MATCHES
    for number, webhook in enumerate(webhooks(size, scope(size))):
        yield listening_to(webhook, f"other.{number // MATCHES}") if number % apart else webhook


def scope(size: int) -> Scope:
    return Scope(event_path.SCOPE.tenant_id, f"with-{size}")


def message(scope: Scope, *, number: int = 1, **changes: Any) -> EventMessage:
    content = json.loads(event_path.event(number, size=0))
    owned = {"tenantId": scope.tenant_id, "communityId": scope.community_id}
    return EventMessage("m", json.dumps(content | owned | changes), event_path.OCCURRED_AT)


def _cold(found: SubscriptionIndex, size: int, *, events: int = EVENTS) -> Work:
    return partial(_match, lambda: _fanout(found), message(scope(size)), events)


def _warm(found: SubscriptionIndex, size: int, *, events: int = EVENTS) -> Work:
    fanout = _fanout(found)
    _match(lambda: fanout, message(scope(size)), 1)
    return partial(_match, lambda: fanout, message(scope(size)), events)


def _match(fanout: Callable[[], tuple[Fanout, Taken]], event: EventMessage, events: int) -> int:
    for _ in range(events):
        function, lane = fanout()
        before = lane.packs
        if function.fan_out([event]) or lane.packs != before + MATCHES:
            raise AssertionError(lane.packs)
    return events


def _composed(found: SubscriptionIndex) -> tuple[Fanout, Callable[[], int]]:
    fanout, lane = _fanout(found)
    return fanout, lambda: lane.packs


def _fanout(found: SubscriptionIndex) -> tuple[Fanout, Taken]:
    lane, seen = Taken(), FakeSeenEvents()
    fanout = Fanout(
        index=found,
        seen=seen,
        reader=FakeFanoutReader(found, seen),
        lane=lane,
        events=NoEventsQueue(),
        events_dlq=_NoneDead(),
        rng=lambda: 0.0,
        clock=time.time,
        time_left=lambda: math.inf,
    )
    return fanout, lane


class NoEventsQueue:
    """An events queue that fan-out has no reason to write to."""

    def send(self, parts: Sequence[EventSlice | ArrayPart]) -> bool:
        raise AssertionError(parts)

    def delete(self, receipts: Sequence[str]) -> None:
        raise AssertionError(receipts)


class _NoneDead:
    def send_to_dlq(self, text: str, reason: str) -> None:
        raise AssertionError(reason, text)

    def send_all_to_dlq(self, events: Sequence[tuple[str, str]]) -> bool:
        raise AssertionError(events)
