"""Events for listeners of one name that each want another value of one field, by their number."""

import json
import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from benchmarks import event_path
from benchmarks.figure import Goal, Reading
from benchmarks.figures.pages import listening_to, webhooks
from tests.aws_stub.tables import Cost, Tables
from webhooks.adapters.dynamodb.conditional_entries import PLAIN_LISTENERS, fields_attributes
from webhooks.adapters.dynamodb.items import Item, key
from webhooks.adapters.dynamodb.keys import (
    EPOCH,
    HEAD,
    community_pk,
    condition_pk,
    conditional_pk,
    entry_key,
    entry_sk,
    fields_key,
)
from webhooks.adapters.dynamodb.webhook_items import entry_attributes
from webhooks.domain.listener_conditions import Condition
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook, sequence_of
from webhooks.services.fanout.pipeline import Fanout
from webhooks.services.fanout.stages import EventMessage

SIZES = (100, 1_000, 10_000, 100_000)  # listeners of the name
GOAL = Goal(0.1)
FIELD = "customer"
EVENTS, REPEATS = 30, 5
BILLED = ("calls", "read_units")

# Returns fan-out that has read nothing, and the number of packs that it has sent.
type Compose = Callable[[], tuple[Fanout, Callable[[], int]]]


@dataclass(slots=True)
class Measurement:
    """`costs`: by what an event matches and what was read before, then by the number of listeners."""

    compose: Compose
    tables: Tables
    costs: dict[str, dict[int, list[Cost]]] = field(default_factory=dict)

    def run(self) -> tuple[list[Reading], list[str]]:
        """Measure all sizes in turn; return the growth, and what an event costs at both ends."""
        for size in SIZES:
            self.tables.load(event_path.SUBSCRIPTIONS, items(size))
        for _ in range(REPEATS):
            for size in SIZES:
                for matching in (1, 0):
                    self._measure(size, matching)
        readings, remarks = [], []
        for title, costs in self.costs.items():
            growth = [_slope({n: each[at].cpu for n, each in costs.items()}) for at in range(REPEATS)]
            billed = max(_slope({n: getattr(each[0], name) for n, each in costs.items()}) for name in BILLED)
            readings += [
                Reading(f"{title}: growth of CPU", growth, unit="", goal=GOAL),
                Reading(f"{title}: growth of calls and units", [billed], unit="", goal=GOAL),
            ]
            ends = "; ".join(f"at {n:,}, {_written(costs[n])}" for n in (min(costs), max(costs)))
            remarks.append(f"{title}: {ends}.")
        return readings, remarks

    def _measure(self, size: int, matching: int) -> None:
        one = event(size, f"value-{size}" if matching else "value-of-none")
        what = "one listener of many matches" if matching else "none of many listeners matches"
        function, sent = self.compose()
        for title, prepared in ((f"{what}, nothing read before", None), (f"{what}, read before", function)):
            if prepared is not None:
                for _ in range(2):
                    _fan_out(lambda: (function, sent), one, 1, matching)
            work = partial(
                _fan_out,
                self.compose if prepared is None else lambda: (function, sent),
                one,
                EVENTS,
                matching,
            )
            self.costs.setdefault(title, {}).setdefault(size, []).append(self.tables.cost(work))


def items(size: int) -> Iterator[Item]:
    """Return what the index has of a community whose webhooks all want another value."""
    scope = Scope(event_path.SCOPE.tenant_id, f"by-condition-{size}")
    for number, webhook in enumerate(webhooks(size, scope), start=1):
        yield from _entries(_wanting(webhook, f"value-{number}"), number)
    if size > PLAIN_LISTENERS:
        yield fields_key(scope, event_path.NAME) | fields_attributes([FIELD])
    yield key(community_pk(scope), HEAD) | {"version": {"N": "1"}}
    yield EPOCH | {"version": {"N": "1"}, "since": {"N": "0"}}


def event(size: int, value: str) -> EventMessage:
    content = json.loads(event_path.event(1, size=0))
    owned = {"tenantId": event_path.SCOPE.tenant_id, "communityId": f"by-condition-{size}"}
    data = content["data"] | {FIELD: value}
    return EventMessage("m", json.dumps(content | owned | {"data": data}), event_path.OCCURRED_AT)


def _wanting(webhook: Webhook, value: str) -> Webhook:
    listening = listening_to(webhook, event_path.NAME)
    return replace(listening, definition=replace(listening.definition, query=({FIELD: value},)))


def _entries(webhook: Webhook, number: int) -> Iterator[Item]:
    sequence, attributes = sequence_of(webhook.id) or 0, entry_attributes(webhook)
    if number <= PLAIN_LISTENERS:
        yield entry_key(webhook.scope, event_path.NAME, sequence) | attributes
        return
    digest = Condition(FIELD, f"value-{number}").digest
    yield key(condition_pk(webhook.scope, event_path.NAME, digest), entry_sk(sequence)) | attributes
    conditions = {"conditions": {"S": json.dumps([digest])}}
    yield key(conditional_pk(webhook.scope, event_path.NAME), entry_sk(sequence)) | attributes | conditions


def _fan_out(compose: Compose, message: EventMessage, events: int, matching: int) -> int:
    for _ in range(events):
        function, sent = compose()
        before = sent()
        if function.fan_out([message]) or sent() != before + matching:
            raise AssertionError(message)
    return events


def _slope(costs: Mapping[int, float]) -> float:
    return statistics.linear_regression([*map(math.log, costs)], [*map(math.log, costs.values())]).slope


def _written(costs: Sequence[Cost]) -> str:
    cpu = statistics.median(cost.cpu for cost in costs) * 1000
    return f"{cpu:.2f} ms of CPU, calls: {costs[0].calls:.0f}, read units: {costs[0].read_units:.1f}"
