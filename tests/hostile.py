"""Batches of good events with a hostile one, fanned out with the share of a processor that Lambda gives.

Composed as functions/fanout is, with AWS stubbed below botocore. `python -m tests.hostile CASE` runs a case in a
process of its own, whose memory is measured, and prints a Result as JSON.
"""

import json
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import batched, product
from pathlib import Path
from typing import Any

from benchmarks import event_path
from tests.aws_stub.responses import stub_aws
from tests.aws_stub.tables import Tables
from webhooks.adapters.dynamodb.items import Item, key
from webhooks.adapters.dynamodb.keys import HEAD, community_pk, entry_sk, listeners_pk
from webhooks.bootstrap.fanout import compose
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.scope import Scope
from webhooks.services.fanout.stages import EventMessage

SHARE = 512 / 1769  # of a processor, for a function of 512 MB
CALL_SECONDS = 0.0075  # of a call to AWS, beside its CPU
TIMEOUT = 30  # seconds of an invocation
TENANTS = 5
NAME = "order.paid"
EVIL = Scope("evil", "main")
QUEUES = {
    name: event_path.ENVIRONMENT[f"{name}_URL"] for name in ("EVENTS_QUEUE", "DELIVERIES_QUEUE", "EVENTS_DLQ")
}
MEGABYTE = 1024 * 1024
ROOM = 9_000  # bytes of a message beside its data

type Query = list[dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """A hostile tenant's webhooks, (name, query) of each, and its events."""

    webhooks: Sequence[tuple[str, str]]
    events: Sequence[str]
    wanted: int | None  # deliveries of the hostile events; None where they may be dead-lettered


@dataclass
class Result:
    """The result of a batch. Seconds are of Lambda's share; `growth` in MB; deliveries by tenant."""

    good: dict[str, int] = field(default_factory=dict)  # deliveries after the first invocation
    good_seconds: float = 0.0  # until the last of them was on its queue
    good_failed: int = 0
    delivered: int = 0  # of the hostile tenant
    most: int = 0  # times that one of its webhooks got an event
    dead: list[str] = field(default_factory=list)  # reasons
    invocations: int = 0
    longest: float = 0.0
    growth: float = 0.0


class Lambda:
    """A function on its share of a processor, with AWS stubbed."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.result = Result()
        self.sent: Counter[str] = Counter()
        self.hostile: Counter[tuple[str, str]] = Counter()
        self.slices: list[str] = []
        self.deleted: set[str] = set()
        self.calls: Counter[str] = Counter()
        # Of an invocation, in seconds since its start.
        self.first_sent = self.last_sent = self.last_good = 0.0
        self._stubbed = 0.0  # CPU seconds of the AWS stub
        self._began = 0.0
        event_path.set_environment()
        app = compose(time_left=self.left)
        event_path.discard_log()
        stub_aws(app.aws, self._response)
        self.fanout = app.fanout

    def invoke(self, batch: Sequence[EventMessage]) -> set[str]:
        """Run an invocation; returns the messages that come again."""
        self._began = self._now()
        self.first_sent = self.last_sent = 0.0
        failed = self.fanout.fan_out(batch)
        self.result.invocations += 1
        self.result.longest = max(self.result.longest, self.spent)
        return failed - self.deleted

    @property
    def spent(self) -> float:
        """Return the seconds of the invocation."""
        return self._now() - self._began

    @property
    def cpu(self) -> float:
        """Return the CPU seconds of the function so far."""
        return time.process_time() - self._stubbed

    def left(self) -> float:
        return TIMEOUT - self.spent

    def _now(self) -> float:
        return self.cpu / SHARE + self.calls.total() * CALL_SECONDS

    def _response(self, operation: str, body: bytes) -> bytes:
        began = time.process_time()
        try:
            self.calls[operation] += 1
            if operation in ("BatchGetItem", "Query"):
                return self.tables.response(operation, body)
            return self._queue(operation, json.loads(body))
        finally:
            self._stubbed += time.process_time() - began

    def _queue(self, operation: str, asked: dict[str, Any]) -> bytes:
        match operation, asked["QueueUrl"]:
            case "SendMessageBatch", url:
                for entry in asked["Entries"]:
                    if url == QUEUES["EVENTS_DLQ"]:
                        reason = entry["MessageAttributes"].get("reason", {"StringValue": "no room for it"})
                        self.result.dead.append(reason["StringValue"])
                    else:
                        self._take(url, entry["MessageBody"])
                taken = [
                    {"Id": each["Id"], "MessageId": "m", "MD5OfMessageBody": ""} for each in asked["Entries"]
                ]
                return json.dumps({"Successful": taken}).encode()
            case "SendMessage", _:
                self.result.dead.append(asked["MessageAttributes"]["reason"]["StringValue"])
                return b'{"MessageId":"m","MD5OfMessageBody":""}'
            case "DeleteMessageBatch", _:
                self.deleted |= {each["ReceiptHandle"] for each in asked["Entries"]}
                return b'{"Successful":[]}'
        raise AssertionError(operation)

    def _take(self, url: str, text: str) -> None:
        if url == QUEUES["EVENTS_QUEUE"]:
            self.slices.append(text)
            return
        pack = decode_pack(text)
        self.last_sent = self.spent
        self.first_sent = self.first_sent or self.last_sent
        self.sent[pack.scope.tenant_id] += len(pack.deliveries)
        if pack.scope == EVIL:
            self.hostile.update((pack.webhook_id, each.event_id) for each in pack.deliveries)
        else:
            self.last_good = self.last_sent


def run(case: Case) -> Result:
    """Fan out a batch of good and hostile events, and all that follows from it."""
    tables = Tables()
    tables.load(event_path.SUBSCRIPTIONS, items(case))
    function = Lambda(tables)
    good = [
        EventMessage(f"good-{tenant}", event(Scope(f"good-{tenant}", "main")), 0) for tenant in range(TENANTS)
    ]
    hostile = [EventMessage(f"evil-{number}", text, 0) for number, text in enumerate(case.events)]
    # The hostile ones come first in the batch.
    waiting = deque((message, 0) for message in (*hostile[:5], *good, *hostile[5:]))
    function.invoke([EventMessage(f"warm-{each.id}", each.text, 0) for each in good])
    function.sent.clear()
    function.result = result = Result()
    began = start_of_peak()
    while waiting:
        batch = [waiting.popleft() for _ in range(min(10, len(waiting)))]
        failed = function.invoke(
            [EventMessage(each.id, each.text, 0, receives + 1, receipt=each.id) for each, receives in batch]
        )
        if result.invocations == 1:
            result.good = {
                tenant: count for tenant, count in function.sent.items() if tenant != EVIL.tenant_id
            }
            result.good_seconds = function.last_good
            result.good_failed = len([each for each in failed if each.startswith("good")])
        waiting += [(each, receives + 1) for each, receives in batch if each.id in failed]
        for text in function.slices:
            waiting.append((EventMessage(f"slice-{len(function.deleted)}-{id(text)}", text, 0), 0))
        function.slices.clear()
        assert result.invocations < 10_000
    result.delivered, result.most = function.hostile.total(), max(function.hostile.values(), default=0)
    result.growth = (peak() - began) / MEGABYTE
    return result


def items(case: Case) -> Iterator[Item]:
    for tenant in range(TENANTS):
        scope = Scope(f"good-{tenant}", "main")
        yield _head(scope)
        yield _entry(scope, 1, NAME, '[{"currency":"EUR"}]')
    yield _head(EVIL)
    for number, (name, query) in enumerate(case.webhooks, 1):
        yield _entry(EVIL, number, name, query)


def _head(scope: Scope) -> Item:
    return key(community_pk(scope), HEAD) | {"version": {"N": "1"}}


def _entry(scope: Scope, number: int, name: str, query: str) -> Item:
    return key(listeners_pk(scope, name), entry_sk(number)) | {
        "webhookId": {"S": f"{1_790_000_000:08x}{number:08x}{0:08x}"},
        "criteria": {"S": "ANY"},
        "query": {"S": query},
    }


def event(scope: Scope, *, name: str = NAME, data: str = '{"currency":"EUR"}', number: int = 0) -> str:
    return (
        f'{{"eventName":"{name}","eventId":"e{number}","tenantId":"{scope.tenant_id}",'
        f'"communityId":"{scope.community_id}","occurredAt":1790000000,"data":{data}}}'
    )


def start_of_peak() -> int:
    """Return the resident bytes of this process, and reset the peak."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status("VmRSS")


def peak() -> int:
    """Return the peak of resident bytes since."""
    return _status("VmHWM")


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


# ---- the cases


def costly_query() -> Case:
    """Queries of 20 objects over a megabyte of scalars."""
    query = json.dumps([{"list": -number} for number in range(1, 21)])
    data = '{"list":[' + ",".join(["1"] * ((MEGABYTE - ROOM) // 2)) + "]}"
    return Case([(NAME, query)] * 100, [event(EVIL, data=data)], wanted=0)


def large_body() -> Case:
    """900 KB, one emoji (so that each character takes four bytes), for a thousand webhooks."""
    data = json.dumps({"text": "x" * 900_000 + "\U0001f600"}, ensure_ascii=False)
    return Case([(NAME, "[]")] * 1000, [event(EVIL, data=data)], wanted=1000)


def cached_queries() -> Case:
    """The largest queries that are accepted, as objects: many on one name, and many names."""
    query = '[{"a":[' + ",".join(["{}"] * 496) + "]}]"
    names = [f"n{number}" for number in range(50)]
    webhooks = [(NAME, query)] * 2_700 + [(name, query) for name in names for _ in range(55)]
    events = [event(EVIL, number=1), *(event(EVIL, name=name, number=2) for name in names)]
    return Case(webhooks, events, wanted=0)


def wide() -> Case:
    """An event that five thousand webhooks want."""
    return Case([(NAME, "[]")] * 5_000, [event(EVIL)], wanted=5_000)


def many_fields() -> Case:
    """Queries that ask for 400 fields each, all different, deep in a megabyte of objects in arrays."""
    thing = json.dumps({f"f{number}": {"g": [{"h": number}]} for number in range(20)})
    count = (MEGABYTE - ROOM) // (len(thing) + 1)
    data = '{"a":[' + ",".join([thing] * count) + "]}"

    def query(webhook: int) -> str:
        fields = (f"a.{number if number % 3 else f'f{number % 20}'}.g.h.{webhook}" for number in range(400))
        paths = (f"a.f{number % 20}.g.h" if number % 2 else field for number, field in enumerate(fields))
        return json.dumps([{path: -1} for path in list(paths)[:20]])

    return Case([(NAME, query(number)) for number in range(400)], [event(EVIL, data=data)], wanted=0)


def many_ways() -> Case:
    """Queries of 240 paths, by names and by indexes, to the same megabyte of objects in an array."""
    data = '{"a":[' + ",".join(['{"b":0}'] * ((MEGABYTE - ROOM) // 8 - 10)) + "]}"
    for _ in range(8):
        data = f'{{"a":[{data}]}}'
    ways = sorted(product(("a", "0.a"), repeat=8), key=lambda steps: steps.count("0.a"))
    paths = [f"a.{'.'.join(steps)}.b" for steps in ways]
    query = [
        {path: 0 if number < 19 else 1 for number, path in enumerate(some)}
        for some in batched(paths[:240], 20, strict=True)
    ]
    text = json.dumps(query, separators=(",", ":"))
    return Case([(NAME, text)] * 10 + [(NAME, "[]")], [event(EVIL, data=data)], wanted=None)


def parsed_large() -> Case:
    """Megabytes that are many times as large once they are parsed, and numbers that are costly to read."""
    objects = '{"a":[' + ",".join(["{}"] * ((MEGABYTE - ROOM) // 3)) + "]}"
    decimals = '{"a":[' + ",".join(["1.1"] * ((MEGABYTE - ROOM) // 4)) + "]}"
    numbers = '{"a":[1e999999999,' + "9" * 100_000 + "]}"
    events = [
        event(EVIL, data=data, number=n) for n, data in enumerate((objects, decimals, objects, numbers))
    ]
    return Case([(NAME, '[{"a":[1]}]')] * 50, events, wanted=None)


def many_conditions() -> Case:
    """A small event, and 400 conditions of each of a thousand webhooks, of which the last one fails."""
    data = json.dumps({f"f{number}": number for number in range(20)})
    fails = [{**{f"f{n}": n for n in range(19)}, "f19": -objects} for objects in range(20)]
    return Case([(NAME, json.dumps(fails))] * 1_000, [event(EVIL, data=data)], wanted=0)


def array_of_wide_events() -> Case:
    """An array of events that 600 webhooks want each, so that every one continues as slices."""
    events = [event(EVIL, number=number) for number in range(25)]
    return Case([(NAME, "[]")] * 600, [f"[{','.join(events)}]"], wanted=25 * 600)


def array_of_costly_events() -> Case:
    """A thousand events in one array, with 400 conditions of each of fifty webhooks for each event."""
    data = json.dumps({f"f{number}": number for number in range(20)})
    fails = [{**{f"f{n}": n for n in range(19)}, "f19": -objects} for objects in range(20)]
    events = [event(EVIL, data=data, number=number) for number in range(1000)]
    return Case([(NAME, json.dumps(fails))] * 50, [f"[{','.join(events)}]"], wanted=0)


def arrays_of_nothing() -> Case:
    """Arrays of ten thousand invalid events, of too many, of a deep one, and of a few bytes less than all."""
    deep = "[" * 500_000 + "]" * 500_000
    large = f'{{"x":"{"x" * (MEGABYTE - 20)}"}}'
    texts = ["{}" for _ in range(10_000)], ["1"] * 500_000, [deep, "{}"], ["1", large]
    return Case([(NAME, "[]")], [f"[{','.join(each)}]" for each in texts], wanted=None)


def harmless() -> Case:
    """No hostile event, for comparison."""
    return Case([(NAME, "[]")], [], wanted=0)


CASES: dict[str, Callable[[], Case]] = {
    case.__name__: case
    for case in (
        costly_query, large_body, cached_queries, wide, many_fields, many_ways, parsed_large, many_conditions,
        array_of_wide_events, array_of_costly_events, arrays_of_nothing, harmless,
    )
}  # fmt: skip

if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(run(CASES[sys.argv[1]]()))))
