"""The laws of an endpoint's health."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.domain.health import HEALTHY, Health, State
from webhooks.domain.health_rules import Change, Check, HealthRules, Observed, observe, shown

RULES = HealthRules(breaker_failures=10, breaker_seconds=60, probe_seconds=30)
MINUTE = 60_000  # ms
FAILED = Observed(failures=1, reason="HTTP 503", failures_tell=True)
EXHAUSTED = replace(FAILED, is_exhausted=True, has_backlog=True)
MANY = replace(FAILED, failures=10)


def succeeded(at: int) -> Observed:
    return Observed(succeeded_at=at, successes_tell=True)


def changed(before: Health, seen: Observed, now: int) -> Change:
    change = observe(before, seen, RULES, now=now)
    assert change is not None
    return change


TIMES = st.integers(1, 3600_000)
SEEN = st.builds(
    Observed,
    succeeded_at=st.none() | TIMES,
    failures=st.integers(0, 12),
    reason=st.just("HTTP 503"),
    is_exhausted=st.booleans(),
    has_backlog=st.booleans(),
    is_slow=st.none() | st.booleans(),
    successes_tell=st.booleans(),
    failures_tell=st.booleans(),
)


def test_successes_of_a_healthy_endpoint_change_nothing() -> None:
    assert observe(HEALTHY, succeeded(5), RULES, now=5) is None


def test_an_exhausted_delivery_makes_its_webhook_failing() -> None:
    change = changed(HEALTHY, EXHAUSTED, now=7)

    assert change.health.failing_since == change.health.backlog_since == 7
    assert (change.state, change.since, change.reason) == (State.FAILING, 7, "HTTP 503")
    assert change.check == Check(7 + 30_000, 30)
    assert (change.health.probe_at, change.health.probe_delay) == (7 + 30_000, 30)
    assert [each.state for each in change.health.changes] == [State.FAILING]


def test_a_failing_webhook_is_written_again_only_while_it_counts_failures() -> None:
    failing = changed(HEALTHY, replace(EXHAUSTED, failures=10), now=7).health

    assert observe(failing, EXHAUSTED, RULES, now=8) is None


@pytest.mark.parametrize(("span", "opens"), [(MINUTE - 1, False), (MINUTE, True)])
def test_the_breaker_opens_after_failures_in_a_row_over_its_seconds(span: int, opens: bool) -> None:
    few = changed(HEALTHY, replace(FAILED, failures=9), now=1).health
    change = changed(few, FAILED, now=1 + span)

    assert (change.health.held_since is not None) is opens
    if opens:
        assert (change.state, change.since) == (State.HELD, 1 + span)
        assert change.reason == "10 attempts in a row failed, the last: HTTP 503"


def test_a_success_of_the_batch_ends_the_row() -> None:
    few = changed(HEALTHY, replace(FAILED, failures=9), now=1).health

    assert changed(few, replace(MANY, succeeded_at=2 * MINUTE), now=2 * MINUTE).health.failures == 0


@pytest.mark.parametrize("down", [Health(failing_since=2), Health(held_since=2)])
def test_a_success_ends_the_failure_and_asks_for_the_recovery(down: Health) -> None:
    probed = replace(down, backlog_since=1, probe_at=9, probe_delay=30, failures=3, failures_since=1)
    change = changed(probed, succeeded(5), now=6)

    assert shown(change.health) is State.HEALTHY
    assert (change.health.failures, change.health.probe_at) == (0, None)
    assert (change.state, change.since, change.check) == (State.HEALTHY, 6, Check(None, 0))
    assert change.health.backlog_since == 1


def test_a_success_before_the_failure_began_does_not_end_it() -> None:
    assert observe(replace(HEALTHY, failing_since=7), succeeded(6), RULES, now=8) is None


def test_a_failing_webhook_that_is_held_keeps_its_probe() -> None:
    failing = changed(HEALTHY, replace(EXHAUSTED, failures=10), now=7).health
    change = changed(failing, FAILED, now=7 + MINUTE)

    assert (change.state, change.check) == (State.HELD, None)
    assert change.health.probe_at == failing.probe_at


def test_a_new_backlog_of_an_endpoint_that_responds_is_looked_at() -> None:
    change = changed(HEALTHY, replace(EXHAUSTED, succeeded_at=5, successes_tell=True), now=5)

    assert change.health.backlog_since == 5
    assert (change.state, change.check) == (None, Check(None, 30))


def test_a_slow_mark_is_in_the_history_and_in_no_event() -> None:
    slow = changed(HEALTHY, Observed(is_slow=True), now=4)
    quick = changed(slow.health, Observed(is_slow=False), now=5)

    assert (slow.health.slow_since, quick.health.slow_since) == (4, None)
    assert slow.state is quick.state is None
    assert [each.state for each in quick.health.changes] == [State.SLOW, State.HEALTHY]


def test_deliveries_of_events_about_webhooks_change_health_without_an_event() -> None:
    failing = changed(HEALTHY, replace(EXHAUSTED, failures_tell=False), now=1)
    recovered = changed(failing.health, replace(succeeded(2), successes_tell=False), now=2)

    assert failing.health.failing_since == 1
    assert recovered.health.failing_since is None
    assert failing.state is recovered.state is None
    assert recovered.check == Check(None, 0)


@given(st.lists(st.tuples(SEEN, st.integers(0, 2 * MINUTE)), max_size=30))
def test_laws_of_any_history(batches: list[tuple[Observed, int]]) -> None:
    health, now, told = HEALTHY, 1, State.HEALTHY
    for seen, later in batches:
        now += later
        if (change := observe(health, seen, RULES, now=now)) is None:
            continue
        after = change.health
        # A webhook that is down has a time of its next probe, and no other has one.
        assert (after.probe_at is not None) is (shown(after) in (State.FAILING, State.HELD))
        assert (after.probe_at is None) is (after.probe_delay is None)
        assert 0 <= after.failures <= RULES.breaker_failures
        assert (after.failures_since is None) is (after.failures == 0)
        # A backlog is never forgotten here, and what is found is marked.
        assert after.backlog_since is not None or not (seen.has_backlog or health.backlog_since)
        # The end of a failure with a backlog leads to its recovery.
        ended = health.probe_at is not None and after.probe_at is None
        assert not (ended and after.backlog_since) or change.check == Check(None, 0)
        # An event tells of a state that is new; only failures and successes that tell cause one.
        if change.state is not None:
            assert shown(after) is not shown(health)
            assert seen.failures_tell if change.state is not State.HEALTHY else seen.successes_tell
            told = change.state
        assert len(after.changes) <= len(health.changes) + 1 <= 21
        # The same batch again adds failures at most.
        again = observe(after, replace(seen, failures=0), RULES, now=now)
        assert again is None or again.state in (None, State.HEALTHY)
        health = after
    assert told in State
