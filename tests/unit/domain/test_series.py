"""Figures of a webhook's last deliveries, and their buckets over time."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.domain.delivery import Attempt, Delivery, delivery_id
from webhooks.domain.delivery_log import LogEntry, LogKey, Outcome
from webhooks.domain.http import PhaseTimes
from webhooks.domain.scope import Scope
from webhooks.domain.series import (
    BUCKETS,
    MAX_BUCKETS,
    Failure,
    bucket_seconds,
    figures_of,
    percentile,
    series_of,
)

WEBHOOK, SCOPE = "6923a9e2000000000000001f", Scope("acme", "default")
AT = 1_790_000_000_000


def entry(outcome: Outcome, *latencies: int, at: int = AT, status: int | None = 503) -> LogEntry:
    """Make a line whose attempts began one after another; the last one of a delivered one succeeded."""
    attempts = tuple(
        Attempt(at + 1000 * number, latency, status, None if status else "deadline")
        for number, latency in enumerate(latencies)
    )
    if outcome is Outcome.DELIVERED:
        attempts = (*attempts[:-1], replace(attempts[-1], status=200, reason=None))
    made = delivery_id("e", WEBHOOK, log_time=at)
    delivery = Delivery(made, "e", "E_LOGIN", at, "", attempts)
    return LogEntry(LogKey(WEBHOOK, at, made), delivery, SCOPE, outcome, settled_at=at)


@pytest.mark.parametrize(
    ("values", "p50", "p99"),
    [
        ([], None, None),
        ([7], 7, 7),
        ([1, 2], 1, 2),
        ([1, 2, 3], 2, 3),
        (list(range(1, 101)), 50, 99),
        (list(range(1, 201)), 100, 198),
    ],
)
def test_a_percentile_is_a_value_that_enough_do_not_exceed(
    values: list[int], p50: int | None, p99: int | None
) -> None:
    assert (percentile(values, 50), percentile(values, 99)) == (p50, p99)


@given(st.lists(st.integers(0, 99), min_size=1, max_size=300), st.integers(1, 100))
def test_a_percentile_is_the_smallest_such_value(values: list[int], percent: int) -> None:
    found = percentile(sorted(values), percent)
    assert found in values
    wanted = math.ceil(percent * len(values) / 100)
    assert sum(value <= found for value in values) >= wanted
    assert sum(value < found for value in values) < wanted


@pytest.mark.parametrize(
    ("delivered", "others", "rate"),
    [(0, 0, None), (0, 3, 0), (1, 2, 33), (2, 1, 66), (99, 1, 99), (100, 0, 100), (999, 1, 99)],
)
def test_a_success_rate_is_rounded_down(delivered: int, others: int, rate: int | None) -> None:
    entries = [entry(Outcome.DELIVERED, 5)] * delivered + [entry(Outcome.DEAD, 5)] * others
    assert figures_of(entries).success_rate == rate


def test_deliveries_without_an_attempt_tell_nothing_about_the_endpoint() -> None:
    entries = [entry(each) for each in (Outcome.HELD, Outcome.SKIPPED, Outcome.DEAD)]
    figures = figures_of([*entries, entry(Outcome.DELIVERED, 9)])
    assert (figures.success_rate, figures.p50, figures.p99) == (100, 9, 9)
    assert figures.pairs == (
        (Outcome.HELD, None),
        (Outcome.SKIPPED, None),
        (Outcome.DEAD, None),
        (Outcome.DELIVERED, 9),
    )


def test_a_delivery_that_is_retried_is_none_that_succeeded() -> None:
    figures = figures_of([entry(Outcome.RETRYING, 30), entry(Outcome.DELIVERED, 10, 20)])
    assert (figures.success_rate, figures.p50, figures.p99) == (50, 20, 30)


def test_the_last_success_and_the_last_failure_are_by_the_times_of_attempts() -> None:
    late = entry(Outcome.DELIVERED, 1, 2, 3, at=AT)  # failed at AT and AT + 1000, succeeded at AT + 2000
    figures = figures_of([entry(Outcome.DEAD, 1, at=AT + 500, status=None), late])
    assert figures.last_success == AT + 2000
    assert figures.last_failure == Failure(AT + 1000, "HTTP 503")
    figures = figures_of([entry(Outcome.DEAD, 1, at=AT + 1500, status=None), late])
    assert figures.last_failure == Failure(AT + 1500, "deadline")
    assert (figures.since, figures.until) == (AT, AT + 1500)


def test_no_deliveries_have_no_figures() -> None:
    figures = figures_of([])
    found = (figures.success_rate, figures.p50, figures.since, figures.last_success, figures.last_failure)
    assert found == (None, None, None, None, None)
    assert series_of([], since=AT, until=AT).buckets == ()


def test_a_bucket_has_the_outcomes_and_the_mean_phases_of_its_span() -> None:
    timed = entry(Outcome.DELIVERED, 4)
    with_times = [
        replace(timed, delivery=replace(timed.delivery, attempts=(replace(attempt, times=times),)))
        for attempt in timed.delivery.attempts
        for times in (PhaseTimes(1, 2, 3, 4, 5), PhaseTimes(0, 0, 0, 10, 20))
    ]
    series = series_of(
        [entry(Outcome.HELD, at=AT + 60_000), entry(Outcome.DEAD, 3), *with_times],
        since=AT,
        until=AT + 59 * 60_000,
    )
    assert (series.deliveries, series.bucket_seconds) == (4, 60)
    [first, second] = series.buckets
    assert (first.at, dict(first.outcomes)) == (AT - AT % 60_000, {Outcome.DEAD: 1, Outcome.DELIVERED: 2})
    assert first.times == PhaseTimes(0, 1, 2, 7, 12)
    assert (second.at, dict(second.outcomes), second.times) == (first.at + 60_000, {Outcome.HELD: 1}, None)


@given(st.integers(0, 2**42), st.integers(0, 60 * BUCKETS[-1] * 1000))
def test_a_time_has_as_many_buckets_as_it_may_and_no_longer_ones_than_needed(since: int, length: int) -> None:
    until = since + length

    def count(seconds: int) -> int:
        return until // (seconds * 1000) - since // (seconds * 1000) + 1

    seconds = bucket_seconds(since, until)
    assert count(seconds) <= MAX_BUCKETS or seconds == BUCKETS[-1]
    assert all(count(each) > MAX_BUCKETS for each in BUCKETS if each < seconds)


@given(st.lists(st.tuples(st.integers(0, 10**7), st.sampled_from(Outcome)), max_size=50))
def test_every_delivery_is_in_one_bucket(made: list[tuple[int, Outcome]]) -> None:
    entries = [entry(outcome, 1, at=AT + offset) for offset, outcome in made]
    series = series_of(entries, since=AT, until=AT + 10**7)
    assert sum(sum(bucket.outcomes.values()) for bucket in series.buckets) == len(entries)
    assert [bucket.at for bucket in series.buckets] == sorted({bucket.at for bucket in series.buckets})
    for bucket in series.buckets:
        inside = [
            each for each in entries if 0 <= each.key.log_time - bucket.at < series.bucket_seconds * 1000
        ]
        assert sum(bucket.outcomes.values()) == len(inside)
