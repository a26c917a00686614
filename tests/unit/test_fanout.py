"""Events together and alone in fan-out: their order, and when their messages are acknowledged."""

import json
import logging
from collections.abc import Collection, Mapping, Sequence

import pytest

from tests.fakes.seen_events import FakeSeenEvents
from tests.fanout import SCOPE, Functions, Index, message, text
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.errors import UnavailableError
from webhooks.domain.event_slice import Span
from webhooks.domain.poison import POISON_RECEIVES
from webhooks.domain.scope import Scope
from webhooks.services.fanout.counts import FanoutCounts
from webhooks.services.fanout.listener_cache import COMMUNITY_BYTES, PAGE_BYTES
from webhooks.services.fanout.listeners import Listeners
from webhooks.services.fanout.pipeline import SLICE
from webhooks.services.fanout.stages import STOP_BEFORE, EventMessage
from webhooks.services.fanout.together import SMALL_LISTENERS


def test_small_events_for_one_webhook_share_a_pack() -> None:
    functions = Functions({"order.paid": 1})
    assert functions.fanout.fan_out([message(f"m{n}", text(number=n)) for n in range(10)]) == set()
    assert len(functions.lane.fast.messages()) == 1
    assert len(functions.delivered) == 10
    assert functions.events.deleted == []  # the batch's end does it


@pytest.mark.parametrize(
    ("name", "costly"),
    [
        ("received before", message("costly", text(number=1), receives=2)),
        ("large", message("costly", text(number=1, data={"x": "x" * 70_000}))),
        ("wide", message("costly", text("wide", number=1))),
    ],
)
def test_a_costly_event_comes_last_and_alone(name: str, costly: EventMessage) -> None:
    functions = Functions({"order.paid": 1, "wide": SMALL_LISTENERS + 1})
    others = [message(f"m{n}", text(number=n)) for n in (2, 3)]
    assert functions.fanout.fan_out([costly, *others]) == set()
    assert functions.steps[:3] == ["send e2,e3", "delete receipt m2,receipt m3", "send e1"]


def test_a_message_received_before_comes_after_the_largest() -> None:
    functions = Functions({"order.paid": 1})
    large = message("large", text(number=1, data={"x": "x" * 70_000}))
    again = message("again", text(number=2), receives=3)
    functions.fanout.fan_out([again, large])
    assert functions.steps == ["send e1", "delete receipt large", "send e2"]


def test_repeated_messages_come_by_receives_and_equals_in_random_order() -> None:
    drawn = iter([0.2, 0.7, 0.5])
    functions = Functions({"order.paid": 1}, rng=lambda: next(drawn))
    receives = {1: 4, 2: 2, 3: 2}
    repeated = [message(f"m{n}", text(number=n), receives=times) for n, times in receives.items()]
    functions.fanout.fan_out(repeated)
    assert [step for step in functions.steps if step.startswith("send")] == ["send e3", "send e2", "send e1"]


def test_a_wide_name_is_known_after_one_event_alone() -> None:
    functions = Functions({"wide": 300})
    for _ in range(3):
        functions.fanout.fan_out([message("m", text("wide"))])
    assert functions.index.asked == [("wide", Span(), SMALL_LISTENERS), ("wide", Span(), SLICE)]


def test_listeners_beyond_one_slice_continue_as_slices() -> None:
    functions = Functions({"wide": 1_700})
    assert functions.fanout.fan_out([message("m", text("wide"))]) == set()
    assert len(functions.delivered) == 500
    assert functions.spans == [Span(501, 900), Span(901, 1300), Span(1301, 1700)]


def test_a_slice_is_matched_as_a_part_of_its_event() -> None:
    functions = Functions({"wide": 600})
    functions.fanout.fan_out([message("m", text("wide"))])
    [rest] = functions.events.queue.take(1)
    functions.fanout.fan_out([message("rest", rest.text)])
    assert [event for event, _ in functions.delivered] == ["e1"] * 600
    assert len(set(functions.delivered)) == 600
    bodies = {
        each.body for sent in functions.lane.fast.messages() for each in decode_pack(sent.text).deliveries
    }
    assert len(bodies) == 1


def test_an_event_alone_stops_at_its_share_of_the_time() -> None:
    functions = Functions({"wide": 400}, seconds=STOP_BEFORE + 10, per_send=1)
    assert functions.fanout.fan_out([message("m", text("wide"))]) == set()
    assert len(functions.delivered) == 110  # a chunk more than the time was for
    assert functions.spans[0].first == 111
    assert functions.spans[-1].last == 400
    assert functions.seconds >= STOP_BEFORE - 1


def test_each_of_several_events_gets_its_share() -> None:
    functions = Functions({"wide": 400}, seconds=STOP_BEFORE + 10, per_send=1)
    wide = [message(f"m{n}", text("wide", number=n)) for n in (1, 2)]
    assert functions.fanout.fan_out(wide) == set()
    counts = [len([each for each in functions.delivered if each[0] == event]) for event in ("e1", "e2")]
    assert counts == [60, 50]


def test_the_time_of_reads_counts_towards_the_share_of_an_event() -> None:
    functions = Functions({"wide": 400}, seconds=STOP_BEFORE + 18, per_send=1)

    def read_slowly(_scopes: Sequence[Scope]) -> None:
        functions.seconds -= 8

    functions.index.before_versions = read_slowly
    assert functions.fanout.fan_out([message("m", text("wide"), receives=2)]) == set()
    assert functions.spans[0].first == 111
    assert functions.seconds >= STOP_BEFORE - 1  # and so the rest could be continued


def test_an_event_without_time_to_begin_comes_again() -> None:
    functions = Functions({"order.paid": 1}, seconds=STOP_BEFORE - 1)
    assert functions.fanout.fan_out([message("a", text(), receives=2), message("b", text(number=2))]) == {
        "a",
        "b",
    }
    assert functions.delivered == []


def test_an_event_without_listeners_is_logged_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="webhooks")
    functions = Functions({"order.paid": 1})
    assert (
        functions.fanout.fan_out([message("a", text("order.payed")), message("b", text(number=2))]) == set()
    )
    [unmatched] = [record for record in caplog.records if record.getMessage() == "event.unmatched"]
    said = vars(unmatched)
    assert (said["event_name"], said["event_id"], said["tenant_id"]) == ("order.payed", "e1", "acme")
    assert (said["listening"], unmatched.levelno) == (0, logging.INFO)
    assert functions.counts == [FanoutCounts(events=2, matched=1, unmatched=1, deliveries=1)]


def test_an_internal_error_is_retried_and_in_the_end_dead_lettered() -> None:
    functions = Functions({"order.paid": 1})
    functions.index.faults["bad"] = ZeroDivisionError("secret text")
    for receives in (1, 2, 5, POISON_RECEIVES - 1):
        assert functions.fanout.fan_out([message("m", text("bad"), receives=receives)]) == {"m"}
    assert functions.fanout.fan_out([message("m", text("bad"), receives=POISON_RECEIVES)]) == set()
    assert functions.reasons == [f"not processed: ZeroDivisionError after {POISON_RECEIVES} receives"]


@pytest.mark.parametrize("receives", [1, POISON_RECEIVES, 199])
def test_an_outage_dead_letters_nothing(receives: int) -> None:
    functions = Functions({"order.paid": 1})
    functions.index.faults["order.paid"] = UnavailableError("dynamodb Query: throttled")
    assert functions.fanout.fan_out([message("m", text(), receives=receives)]) == {"m"}
    assert functions.reasons == []


def test_a_wide_event_with_a_corrupt_entry_is_sent_to_the_others() -> None:
    functions = Functions({"wide": 3})
    functions.index.corrupt.add("wide")
    assert functions.fanout.fan_out([message("m", text("wide"))]) == set()
    assert functions.reasons == ["an entry cannot be read"]
    assert len(functions.delivered) == 2


def test_a_query_that_costs_too_much_dead_letters_its_own_delivery() -> None:
    functions = Functions({"costly": 3, "quick": 1}, small_visits=100, visits=200)
    functions.index.queries[2] = ({"a.b": 1},)
    costly = text("costly", number=1, data={"a": [{"b": 0}] * 100})
    assert functions.fanout.fan_out([message("c", costly), message("q", text("quick", number=2))]) == set()
    assert functions.steps[0] == "send e2"
    webhooks = [webhook_id for event_id, webhook_id in functions.delivered if event_id == "e1"]
    assert webhooks == [f"{1:08x}{each:08x}{0:08x}" for each in (1, 3)]
    (reason,) = functions.reasons
    assert reason == f"webhook {1:08x}{2:08x}{0:08x}: its query looks at over 200 values"


def test_the_cache_of_listeners_is_bounded_in_bytes() -> None:
    index = Index({f"n{number}": 1 for number in range(100)}, size=1_000)
    listeners = Listeners(index, limit=500, clock=lambda: 0.0, cached_bytes=10 * (1_000 + PAGE_BYTES))
    scopes = [Scope(f"t{number}", "main") for number in range(4)]
    listeners.begin_batch(scopes)
    for name in index.counts:
        for scope in scopes:
            listeners.page(scope, name, Span())
    pages, size = listeners.cached
    assert 0 < pages < 10
    assert size <= 10 * (1_000 + PAGE_BYTES)


def test_a_thousand_communities_are_read_once() -> None:
    index = Index({"a": 1}, epoch=1)
    listeners = Listeners(index, limit=500, clock=lambda: 0.0)
    scopes = [Scope(f"t{number}", "main") for number in range(1_000)]
    for _ in range(3):
        for scope in scopes:
            listeners.begin_batch([scope])
            listeners.page(scope, "a", Span())
    assert len(index.asked) == 1_000


def test_communities_without_webhooks_are_cached_in_bounded_bytes_too() -> None:
    index = Index({}, version=0, epoch=1)
    listeners = Listeners(index, limit=500, clock=lambda: 0.0, cached_bytes=10 * COMMUNITY_BYTES)
    listeners.begin_batch(
        [Scope(f"t{number}", "main") for number in range(20)]
    )  # all are needed in the batch
    assert listeners.cached == (0, 20 * COMMUNITY_BYTES)
    for number in range(100):
        listeners.begin_batch([Scope(f"u{number}", "main")])
    assert listeners.cached == (0, 10 * COMMUNITY_BYTES)


def test_where_the_communities_of_a_batch_fill_the_cache_no_page_is_cached() -> None:
    index = Index({"a": 1})
    listeners = Listeners(index, limit=500, clock=lambda: 0.0, cached_bytes=2 * COMMUNITY_BYTES)
    scopes = [Scope(f"t{number}", "main") for number in range(4)]
    listeners.begin_batch(scopes)
    for scope in scopes:
        assert len(listeners.page(scope, "a", Span()).entries) == 1
    assert listeners.cached == (0, 4 * COMMUNITY_BYTES)


def test_a_page_larger_than_the_cache_is_not_cached() -> None:
    index = Index({"wide": 1}, size=10_000)
    listeners = Listeners(index, limit=500, clock=lambda: 0.0, cached_bytes=5_000)
    listeners.begin_batch([SCOPE])
    for _ in range(2):
        assert len(listeners.page(SCOPE, "wide", Span()).entries) == 1
    assert len(index.asked) == 2


def test_a_change_in_the_community_clears_its_cached_pages() -> None:
    index = Index({"a": 1})
    listeners = Listeners(index, limit=500, clock=lambda: 0.0)
    for version in (1, 1, 2):
        index.version = version
        listeners.begin_batch([SCOPE])
        listeners.page(SCOPE, "a", Span())
    assert len(index.asked) == 2


def test_events_with_cached_listeners_do_not_wait_for_reads() -> None:
    functions = Functions({"known": 1, "new": 1})
    functions.fanout.fan_out([message("m", text("known", number=1))])
    functions.steps.clear()
    batch = [message("a", text("new", number=2)), message("b", text("known", number=3))]
    assert functions.fanout.fan_out(batch) == set()
    assert functions.steps == ["send e3", "send e2"]


def test_a_community_is_refreshed_once_for_a_batch() -> None:
    functions = Functions({"order.paid": 1, "wide": SMALL_LISTENERS + 1})
    asked: list[list[Scope]] = []
    functions.index.before_versions = lambda scopes: asked.append(list(scopes))
    again = [message(f"a{n}", text(number=n), receives=2) for n in (3, 4)]
    batch = [message("m", text(number=1)), message("w", text("wide", number=2)), *again]
    assert functions.fanout.fan_out(batch) == set()
    assert asked == [[SCOPE]]


def test_an_event_whose_community_changed_is_matched_with_the_present_listeners() -> None:
    functions = Functions({"a": 1, "b": 1})
    for number, name in enumerate("ab"):
        functions.fanout.fan_out([message("m", text(name, number=number))])
    functions.index.counts["a"], functions.index.version = 2, 2
    functions.lane.fast.take_all()
    batch = [message("m", text("a", number=5)), message("o", text("b", number=6, community="other"))]
    assert functions.fanout.fan_out(batch) == set()
    sent = [(event_id, int(webhook_id[8:16], 16)) for event_id, webhook_id in functions.delivered]
    assert sent == [("e5", 1), ("e5", 2), ("e6", 1)]


class NotedReads(FakeSeenEvents):
    """Notes the windows of each read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[list[str]] = []

    def read(self, windows: Sequence[str], *, consistently: bool) -> Mapping[str, Collection[bytes]]:
        self.reads.append(list(windows))
        return super().read(windows, consistently=consistently)


def test_marks_are_read_of_just_the_events_that_a_webhook_wants() -> None:
    seen = NotedReads()
    functions = Functions({"order.paid": 1}, seen=seen)
    functions.index.queries[1] = ({"n": 2},)

    def event(number: int) -> EventMessage:
        content = json.loads(text(number=number)) | {"occurredAt": 1_790_000_001 + number}
        return message(f"m{number}", json.dumps(content))

    for _ in range(2):  # the listeners are not known, then known
        assert functions.fanout.fan_out([event(1), event(2), event(3)]) == set()
    assert [event_id for event_id, _ in functions.delivered] == ["e2", "e2"]
    assert [len(each) for each in seen.reads] == [1, 1]
