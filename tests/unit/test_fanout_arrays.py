"""Arrays of events in fan-out: each event is judged alone, and the work of an invocation is bounded."""

import json
import logging
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fanout import Functions, message, text
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.errors import UnavailableError
from webhooks.domain.event_array import PREFIX, is_array
from webhooks.domain.poison import POISON_RECEIVES
from webhooks.domain.scope import IDENTIFIER_RULE, Scope
from webhooks.services.fanout.arrays import GROUP, MAX_REJECTED, OPENED
from webhooks.services.fanout.counts import FanoutCounts
from webhooks.services.fanout.stages import STOP_BEFORE, EventMessage
from webhooks.services.fanout.together import SMALL_LISTENERS

INVALID = [
    "1",
    "null",
    "[]",
    '[{"eventName": "order.paid"}]',
    "{}",
    '{"eventName": "order.paid"}',
    '{"eventName": "order.paid", "tenantId": "a/b", "communityId": "main", "data": {}}',
    '{"eventName": "order.paid", "tenantId": "acme", "communityId": "main", "data": 1}',
    '{"eventName": "order.paid", "tenantId": "acme", "communityId": "main", "data": {"n": NaN}}',
    '{"eventName": "order.paid", "tenantId": "acme", "communityId": "main", "data": {"n": 1e9999999999999999999}}',
]

NESTED = "an event in an array must be an object, not an array again"
NO_OBJECT = "the message is not JSON, or not an object: Expecting '{': line 1 column 1 (char 0)"


def array(*events: str) -> str:
    return f"[{','.join(events)}]"


def test_of_a_thousand_events_ten_invalid_ones_are_dead_lettered_alone() -> None:
    functions = Functions({"order.paid": 1})
    events = [text(number=n) for n in range(990)]
    for at, invalid in enumerate(INVALID):
        events.insert(at * 97, invalid)
    assert functions.fan_out_all(message("m", array(*events))) == 1
    assert [event for event, _ in functions.delivered] == sorted(f"e{n}" for n in range(990))
    reasons = dict(functions.dead_letters)
    assert sorted(dead for dead, _ in functions.dead_letters) == sorted(INVALID)
    assert all(reason for _, reason in functions.dead_letters)
    assert reasons["1"] == reasons["null"] == NO_OBJECT
    assert reasons["[]"] == reasons[INVALID[3]] == NESTED
    assert reasons["{}"] == "data: must be an object"
    assert reasons[INVALID[6]] == f"tenantId (or tenant_id): must be {IDENTIFIER_RULE}"


def test_events_of_an_array_share_packs() -> None:
    functions = Functions({"order.paid": 1})
    functions.fanout.fan_out([message("m", array(*(text(number=n) for n in range(30))))])
    assert [len(decode_pack(sent.text).deliveries) for sent in functions.lane.fast.messages()] == [10, 10, 10]


def test_small_arrays_and_other_events_of_a_batch_share_packs() -> None:
    functions = Functions({"order.paid": 1})
    arrays = [
        message(f"m{at}", array(*(text(number=10 * at + n) for n in range(9)), INVALID[at]))
        for at in range(3)
    ]
    assert functions.fanout.fan_out([*arrays, message("single", text(number=99))]) == set()
    assert [len(decode_pack(sent.text).deliveries) for sent in functions.lane.fast.messages()] == [10, 10, 8]
    assert len(functions.index.asked) == 1
    assert functions.events.deleted == []  # the batch's end does it
    assert sorted(dead for dead, _ in functions.dead_letters) == sorted(INVALID[:3])


def test_arrays_beyond_the_events_of_a_batch_wait_for_their_turn() -> None:
    functions = Functions({"order.paid": 1})
    arrays = [
        message(f"m{at}", array(*(text(number=100 * at + n) for n in range(OPENED // 2)))) for at in range(3)
    ]
    assert functions.fanout.fan_out(arrays) == set()
    assert len(set(functions.delivered)) == len(functions.delivered) == 3 * OPENED // 2
    assert functions.steps[1] == "delete receipt m0,receipt m1"


@pytest.mark.parametrize("seconds", [math.inf, STOP_BEFORE + 0.5])
def test_a_costly_event_of_a_small_array_comes_last_or_is_sent_on(seconds: float) -> None:
    functions = Functions({"order.paid": 1, "wide": SMALL_LISTENERS + 1}, seconds=seconds, per_send=0.6)
    sent = message("m", array(text("wide", number=1), "{}", text(number=2)))
    assert functions.fanout.fan_out([sent, message("n", text(number=3))]) == set()
    assert functions.steps[:2] == ["send e2,e3", "delete receipt n"]
    assert functions.steps[2] == ("send e1" if seconds == math.inf else "continue from 0")
    assert functions.reasons == ["data: must be an object"]
    for at, part in enumerate(functions.events.queue.take_all()):
        functions.seconds = math.inf
        functions.fan_out_all(message(f"p{at}", part.text))
    assert len(functions.delivered) == len(set(functions.delivered)) == SMALL_LISTENERS + 3
    assert functions.reasons == ["data: must be an object"]


def test_costly_events_alone_do_not_use_up_the_time_of_an_invocation() -> None:
    functions = Functions({"wide": SMALL_LISTENERS + 1}, seconds=STOP_BEFORE + 3)

    def read_slowly(_scopes: Sequence[Scope]) -> None:
        functions.seconds -= 2

    functions.index.before_versions = read_slowly
    sent = message("m", array(*(text("wide", number=n) for n in range(10 * GROUP))))
    assert functions.fanout.fan_out([sent]) == set()
    assert functions.seconds >= STOP_BEFORE - 2
    assert {event for event, _ in functions.delivered} == {"e0"}
    assert functions.steps[-1] == "continue from 1"


def test_a_refused_pack_brings_back_the_arrays_of_its_deliveries_alone() -> None:
    functions = Functions({"order.paid": 1, "other": 2})
    functions.lane.refused = {f"{1:08x}{2:08x}{0:08x}"}
    good = message("good", array(text(number=1), text(number=2)))
    bad = message("bad", array(text(number=3), text("other", number=4), "{}"))
    assert functions.fanout.fan_out([bad, good]) == {"bad"}
    assert functions.reasons == []


def test_an_event_without_an_id_gets_that_of_its_message_and_its_position() -> None:
    functions = Functions({"order.paid": 1}, seconds=STOP_BEFORE + 10, per_send=10)
    anonymous = json.loads(text())
    del anonymous["eventId"], anonymous["occurredAt"]
    sent = EventMessage("m", json.dumps([anonymous] * (2 * GROUP)), 1_790_000_000_123)
    functions.fan_out_all(sent)
    ids = {event for event, _ in functions.delivered}
    assert ids == {f"m-{n}" for n in range(2 * GROUP)}
    deliveries = [
        each for sent in functions.lane.fast.messages() for each in decode_pack(sent.text).deliveries
    ]
    assert {each.log_time for each in deliveries} == {1_790_000_000_123}


def test_arrays_may_mix_the_three_shapes() -> None:
    functions = Functions({"order.paid": 1})
    bridge = {
        "detail-type": "order.paid",
        "id": "b",
        "detail": {"tenantId": "acme", "communityId": "main", "n": 1},
    }
    flat = {"event_name": "order.paid", "event_id": "f", "tenant_id": "acme", "community_id": "main"}
    sent = message("m", array(json.dumps(bridge), json.dumps(flat), text()))
    assert functions.fanout.fan_out([sent]) == set()
    assert [event for event, _ in functions.delivered] == ["b", "e1", "f"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("[]", "the array is empty: it must have one event at least"),
        ("[{]", "the message is an array, but not JSON: "),
        (f"{PREFIX}x\n[1]", "not the rest of an array: its first line cannot be read"),
    ],
)
def test_an_array_that_cannot_be_read_is_dead_lettered_whole(body: str, reason: str) -> None:
    functions = Functions({"order.paid": 1})
    assert functions.fanout.fan_out([message("m", body), message("n", text())]) == set()
    [(dead, why)] = functions.dead_letters
    assert dead == body
    assert str(why).startswith(reason)
    assert len(functions.delivered) == 1


def test_wide_events_of_an_array_go_on_in_other_invocations() -> None:
    functions = Functions({"wide": 600}, seconds=STOP_BEFORE + 10, per_send=1)
    sent = message("m", array(*(text("wide", number=n) for n in range(12)), "1"))
    functions.fanout.fan_out([sent])
    assert functions.steps[-1].startswith("continue from")
    assert functions.seconds >= STOP_BEFORE - 1
    assert len(functions.reasons) == 1  # with the events that were begun
    functions = Functions({"wide": 600}, seconds=STOP_BEFORE + 10, per_send=1)
    assert functions.fan_out_all(sent) > 12
    assert len(functions.delivered) == len(set(functions.delivered)) == 12 * 600
    assert len(functions.reasons) == 1


def test_a_thousand_invalid_events_are_enough_for_one_invocation() -> None:
    functions = Functions({"order.paid": 1})
    functions.fanout.fan_out([message("m", array(*["1"] * 2500, text()))])
    assert len(functions.reasons) == MAX_REJECTED
    functions.fan_out_all(message("m", functions.events.queue.take(1)[0].text))
    assert len(functions.reasons) > MAX_REJECTED


def test_an_array_without_time_to_begin_comes_again() -> None:
    functions = Functions({"order.paid": 1}, seconds=STOP_BEFORE - 1)
    assert functions.fanout.fan_out([message("m", array(text()))]) == {"m"}
    assert functions.steps == []


def test_an_array_received_before_is_split_and_its_poison_is_alone_in_the_end() -> None:
    functions = Functions({"order.paid": 1})
    functions.index.faults["poison"] = ZeroDivisionError()
    events = [text(number=n) for n in range(250)]
    events[77] = text("poison", number=77)
    waiting, rounds = [message("m", array(*events))], 0
    while waiting:
        sent = waiting.pop(0)
        failed = functions.fanout.fan_out([sent])
        waiting += [
            message(f"{rounds}.{at}", part.text) for at, part in enumerate(functions.events.queue.take_all())
        ]
        if failed:
            waiting.append(EventMessage(sent.id, sent.text, sent.sent_at, sent.receives + 1))
        rounds += 1
        assert rounds < 200
    assert {event for event, _ in functions.delivered} == {f"e{n}" for n in range(250) if n != 77}
    assert functions.dead_letters == [
        (events[77], f"not processed: ZeroDivisionError after {POISON_RECEIVES} receives")
    ]


@pytest.mark.parametrize("point", ["before", "after"])
@pytest.mark.parametrize(
    "call", ["deliveries.send", "events.send", "events.send_all_to_dlq", "index.listeners"]
)
def test_an_array_comes_again_whatever_fails_and_then_nothing_is_missing(call: str, point: str) -> None:
    faults = [f"{point} {call}"]

    def fault(name: str) -> None:
        if name in faults:
            faults.remove(name)
            raise UnavailableError(name)

    functions = Functions({"order.paid": 1, "wide": 600}, seconds=STOP_BEFORE + 10, per_send=1, fault=fault)
    functions.index.faults = {"order.paid": UnavailableError("away")} if call == "index.listeners" else {}
    first = message("first", text(number=8, data={"x": "x" * 70_000}))
    sent = message("m", array("{}", *(text("wide", number=n) for n in range(5)), text(number=9)))
    failed = functions.fanout.fan_out([first, sent])
    assert failed
    assert len(functions.reasons) == (("before", "after").index(point) if "dlq" in call else 0)
    functions.index.faults.clear()
    for each in (first, sent):
        if each.id in failed:
            functions.seconds = STOP_BEFORE + 10
            functions.fan_out_all(EventMessage(each.id, each.text, each.sent_at, 2))
    assert {event for event, _ in functions.delivered} == {f"e{n}" for n in (*range(5), 8, 9)}
    assert len(set(functions.delivered)) == 5 * 600 + 2
    assert set(functions.reasons) == {"data: must be an object"}


def test_invalid_events_are_dead_lettered_after_all_else() -> None:
    points: list[str] = []
    functions = Functions({"wide": 600}, seconds=STOP_BEFORE + 10, per_send=1, fault=points.append)
    functions.fanout.fan_out([message("m", array("{}", *(text("wide", number=n) for n in range(5))))])
    assert points[-2:] == ["before events.send_all_to_dlq", "after events.send_all_to_dlq"]
    assert points[-4:-2] == ["before events.send", "after events.send"]


def test_the_events_of_an_array_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="webhooks")
    functions = Functions({"order.paid": 2})
    sent = message("m", array(text(), text("unheard", number=2), "1", text(number=3)))
    functions.fanout.fan_out([sent])
    assert functions.counts == [
        FanoutCounts(events=4, matched=2, unmatched=1, dead_lettered=1, invalid=1, deliveries=4)
    ]
    [invalid] = [record for record in caplog.records if record.getMessage() == "event.invalid"]
    assert vars(invalid)["message_id"] == "m-2"


NAMES = st.sampled_from(["order.paid", "wide", "none"])
EVENTS = st.lists(
    st.one_of(
        st.builds(
            lambda name, n, data: text(name, number=n, data=data), NAMES, st.integers(0, 5), st.just({"a": 1})
        ),
        st.builds(lambda n: text("order.paid", number=n, data={"x": "x" * 70_000}), st.integers(6, 7)),
        st.sampled_from(INVALID),
    ),
    min_size=1,
    max_size=12,
)


@given(EVENTS, st.sampled_from([math.inf, STOP_BEFORE + 5]), st.integers(0, 5))
def test_an_array_delivers_exactly_what_its_events_would_alone(
    events: list[str], seconds: float, cut: int
) -> None:
    counts = {"order.paid": 2, "wide": 60}
    together, alone = Functions(counts, seconds=seconds, per_send=1, slice_size=20), Functions(counts)
    if cut:  # several arrays of one batch, whose events are fanned out together
        parts = [events[:cut], events[cut:]]
        batch = [
            message("m" if at == 0 else f"m+{at}", array(*part)) for at, part in enumerate(parts) if part
        ]
        assert together.fanout.fan_out(batch) == set()
        for at, part in enumerate(together.events.queue.take_all()):
            together.seconds = seconds
            together.fan_out_all(message(f"p{at}", part.text))
    else:
        together.fan_out_all(message("m", array(*events)))
    for at, event in enumerate(events):
        if is_array(event):  # an array in an array is no event
            alone.dead.send_to_dlq(event, NESTED)
        else:
            alone.fan_out_all(message(f"m-{at}", event))
    assert set(together.delivered) == set(alone.delivered)
    assert sorted(map(str, together.dead_letters)) == sorted(map(str, alone.dead_letters))
    assert bodies(together) == bodies(alone)


def bodies(functions: Functions) -> set[str]:
    return {
        each.body for sent in functions.lane.fast.messages() for each in decode_pack(sent.text).deliveries
    }
