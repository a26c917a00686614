"""The contract of Replays."""

from dataclasses import replace
from typing import Any

import pytest

from tests.contract.backends import Backend
from tests.fakes.replays import FakeReplays
from webhooks.adapters.dynamodb.replay_items import replay_key
from webhooks.adapters.dynamodb.replays import DynamoReplays
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.delivery import ReleaseKind
from webhooks.domain.delivery_log import LogQuery, Outcome
from webhooks.domain.errors import StaleError, TooManyReplaysError
from webhooks.domain.replay import PagePlan, Replay, ReplayState
from webhooks.domain.scope import Scope
from webhooks.ports import Replays

SCOPE, OTHER = Scope("acme", "north"), Scope("acme", "northern")
NOW = 1_790_000_000_000
WEBHOOK = "0123456789abcdef01234567"
QUERY = LogQuery(SCOPE, WEBHOOK, Outcome.DEAD, "Bücher \U0001f4da", 5, NOW)
LAST = f"{WEBHOOK}-{NOW:012x}-{7:032x}"
PLAN = PagePlan(LAST, sent=3, without_payload=2)


@pytest.fixture
def replays(backend: Backend) -> Replays:
    return open_replays(backend)


def open_replays(backend: Backend) -> Replays:
    if backend.aws is None:
        return FakeReplays()
    return DynamoReplays(Table(backend.aws, backend.table("deliveries"), backoff=backend.backoff))


def made(number: int, scope: Scope = SCOPE, **changes: Any) -> Replay:
    replay = Replay(
        id=f"{number:024x}",
        scope=scope,
        kind=ReleaseKind.REPLAY,
        rate=10,
        created_at=NOW + number,
        created_by="tests",
        query=QUERY,
        total=6,
        updated_at=NOW + number,
    )
    return replace(replay, **changes)


def claim(replays: Replays, replay: Replay, holder: str, *, now: int = NOW, plan: PagePlan = PLAN) -> None:
    replays.claim(replay, plan, holder=holder, until=now + 60_000, now=now)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"query": None, "deliveries": (LAST, LAST[:-1] + "8")},
        {"query": LogQuery(SCOPE, WEBHOOK), "kind": ReleaseKind.RECOVERY, "total": 0},
        {"created_by": "a\nü"},
        {
            "state": ReplayState.STOPPED,
            "reason": "its webhook is paused",
            "sent": 3,
            "idle": 1,
            "after": LAST,
        },
    ],
)
def test_a_replay_is_read_as_it_was_added(replays: Replays, changes: dict[str, Any]) -> None:
    replay = made(1, **changes)
    assert replays.add(replay) == replay
    assert replays.get(SCOPE, replay.id) == replay
    assert replays.get(OTHER, replay.id) is None
    assert replays.get(SCOPE, made(2).id) is None


def test_a_repeated_request_finds_its_replay(replays: Replays) -> None:
    first = replays.add(made(1), key="request", limit=10)
    assert replays.add(made(2), key="request", limit=10) == first
    assert replays.find(SCOPE, "request") == first
    assert replays.find(OTHER, "request") is replays.find(SCOPE, "another") is None
    assert replays.get(SCOPE, made(2).id) is None


def test_a_replay_that_is_added_twice_is_one(replays: Replays) -> None:
    assert replays.add(made(1), limit=1) == replays.add(made(1), limit=1)
    assert len(replays.newest(SCOPE, after=None, size=10)) == 1


def test_a_community_has_a_limit_of_running_replays(replays: Replays) -> None:
    first, second = replays.add(made(1), key="1", limit=2), replays.add(made(2), limit=2)
    with pytest.raises(TooManyReplaysError, match="2 running replays"):
        replays.add(made(3), key="3", limit=2)
    assert replays.find(SCOPE, "3") is replays.get(SCOPE, made(3).id) is None
    assert replays.add(made(1), key="1", limit=2) == first  # a repeat begins nothing
    replays.add(made(3, OTHER), limit=2)
    replays.add(made(4, kind=ReleaseKind.RECOVERY), limit=2)
    replays.change(second, second.ended(ReplayState.CANCELLED, now=NOW))
    replays.add(made(5), limit=2)
    with pytest.raises(TooManyReplaysError):
        replays.add(made(6), limit=2)


def test_a_replay_that_expired_has_no_place(replays: Replays, backend: Backend) -> None:
    lost, kept = replays.add(made(1), limit=2), replays.add(made(2), limit=2)
    if isinstance(replays, FakeReplays):
        del replays._replays[SCOPE, lost.id]  # noqa: SLF001
    elif backend.aws is not None:
        key = replay_key(SCOPE, lost.id)
        backend.aws.dynamodb.delete_item(TableName=backend.table("deliveries"), Key=key)
    assert list(replays.running(SCOPE)) == list(replays.running(SCOPE)) == [kept]
    assert replays.running(OTHER) == []
    added = replays.add(made(3), limit=2)
    assert list(replays.running(SCOPE)) == [kept, added]
    with pytest.raises(TooManyReplaysError):
        replays.add(made(4), limit=2)


def test_replays_are_listed_with_the_newest_first(replays: Replays) -> None:
    for number in range(1, 8):
        replays.add(made(number), key=f"request {number}")
        replays.add(made(number, OTHER), limit=9)
    first = replays.newest(SCOPE, after=None, size=3)
    assert list(first) == [made(7), made(6), made(5)]
    assert list(replays.newest(SCOPE, after=first[-1].id, size=3)) == [made(4), made(3), made(2)]
    assert list(replays.newest(SCOPE, after=made(1).id, size=3)) == []


def test_one_message_alone_works_on_a_page(replays: Replays) -> None:
    replay = replays.add(made(1))
    claim(replays, replay, "a")
    with pytest.raises(StaleError):
        claim(replays, replay, "b", plan=PagePlan(None))
    claim(replays, replay, "a")  # the same message again
    assert replays.get(SCOPE, replay.id) == replace(replay, plan=PLAN, holder="a")


def test_a_claim_ends_with_its_time(replays: Replays) -> None:
    replay = replays.add(made(1))
    claim(replays, replay, "a")
    with pytest.raises(StaleError):
        claim(replays, replay, "b", now=NOW + 59_999)
    claim(replays, replay, "b", now=NOW + 60_000)


def test_a_page_that_is_moved_past_has_no_claim(replays: Replays) -> None:
    replay = replays.add(made(1))
    claim(replays, replay, "a")
    moved = replay.moved(PLAN, now=NOW + 1, next_at=NOW + 600)
    replays.change(replay, moved)
    assert replays.get(SCOPE, replay.id) == replace(moved, holder="a")
    assert (moved.page, moved.sent, moved.after, moved.next_at) == (1, 3, LAST, NOW + 600)
    claim(replays, moved, "b")
    with pytest.raises(StaleError):
        claim(replays, replay, "b")
    with pytest.raises(StaleError):
        replays.change(replay, moved)


def test_a_cancelled_replay_keeps_the_plan_of_its_page(replays: Replays) -> None:
    replay = replays.add(made(1), limit=1)
    claim(replays, replay, "a")
    cancelled = replay.ended(ReplayState.CANCELLED, now=NOW + 1, reason="cancelled")
    replays.change(replay, cancelled)
    assert replays.get(SCOPE, replay.id) == replace(cancelled, plan=PLAN, holder="a")
    with pytest.raises(StaleError):
        replays.change(replay, replay.moved(PLAN, now=NOW, next_at=NOW))
    with pytest.raises(StaleError):
        replays.change(replay, cancelled)
    after = cancelled.moved(PLAN, now=NOW, next_at=NOW)
    replays.change(cancelled, after)
    assert replays.get(SCOPE, replay.id) == replace(after, holder="a")
    assert after.state is ReplayState.CANCELLED


def test_a_replay_that_is_not_there_cannot_change(replays: Replays) -> None:
    for state in (ReplayState.DONE, ReplayState.RUNNING):
        with pytest.raises(StaleError):
            replays.change(made(1), made(1).ended(state, now=NOW))
    with pytest.raises(StaleError):
        claim(replays, made(1), "a")
