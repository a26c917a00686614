"""Figures of a webhook's last deliveries: success rate, percentiles, and counts over time; all in integers.

A delivery has the latency of its last attempt. Tests count for nothing: callers leave them out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from webhooks.domain.delivery import Attempt
from webhooks.domain.delivery_log import LogEntry, Outcome
from webhooks.domain.http import PhaseTimes
from webhooks.domain.values import value_type

MAX_BUCKETS = 60
# Seconds: from one to 30 days.
BUCKETS = (1, 5, 15, 60, 300, 900, 3_600, 10_800, 43_200, 86_400, 604_800, 2_592_000)


@value_type(frozen=True, slots=True)
class Failure:
    """A failed attempt at `at`, in epoch ms."""

    at: int
    reason: str


@value_type(frozen=True, slots=True)
class Figures:
    """Figures of deliveries. `success_rate`: percent of the attempted ones that were delivered, rounded down,
    so that 100 is all of them; None without one. Latencies in ms, times in epoch ms.

    `pairs`: each delivery's outcome and latency, None for one that was not attempted, in their order.
    `since`, `until`: the times of the first and the last event.
    """

    pairs: tuple[tuple[Outcome, int | None], ...]
    success_rate: int | None
    p50: int | None
    p99: int | None
    since: int | None
    until: int | None
    last_success: int | None
    last_failure: Failure | None


@value_type(frozen=True, slots=True)
class Bucket:
    """The deliveries whose events were in a span that began at `at`, in epoch ms.

    `times`: the means of their last attempts' phases, None where no attempt has any.
    """

    at: int
    outcomes: Mapping[Outcome, int]
    times: PhaseTimes | None


@value_type(frozen=True, slots=True)
class Series:
    """Deliveries over time, `since` until `until` in epoch ms; buckets without any are left out."""

    since: int
    until: int
    deliveries: int
    bucket_seconds: int
    buckets: tuple[Bucket, ...]


def figures_of(entries: Sequence[LogEntry]) -> Figures:
    """Return the figures of deliveries."""
    pairs = tuple((entry.outcome, _latency(entry)) for entry in entries)
    # Held and skipped ones, and those that ended without an attempt, tell nothing about the endpoint.
    attempted = [outcome for outcome, latency in pairs if latency is not None]
    delivered = attempted.count(Outcome.DELIVERED)
    latencies = sorted(latency for _, latency in pairs if latency is not None)
    times = [entry.key.log_time for entry in entries]
    failures = [each for entry in entries for each in _failures(entry)]
    return Figures(
        pairs,
        success_rate=100 * delivered // len(attempted) if attempted else None,
        p50=percentile(latencies, 50),
        p99=percentile(latencies, 99),
        since=min(times, default=None),
        until=max(times, default=None),
        last_success=max((at for entry in entries if (at := _delivered_at(entry)) is not None), default=None),
        last_failure=max(failures, key=lambda each: each.at, default=None),
    )


def series_of(entries: Sequence[LogEntry], *, since: int, until: int) -> Series:
    """Return deliveries over time: in as many buckets as MAX_BUCKETS allows, which begin at whole spans."""
    seconds = bucket_seconds(since, until)
    found: dict[int, list[LogEntry]] = {}
    for entry in entries:
        at = entry.key.log_time
        found.setdefault(at - at % (seconds * 1000), []).append(entry)
    buckets = tuple(
        Bucket(at, Counter(entry.outcome for entry in inside), _mean_times(inside))
        for at, inside in sorted(found.items())
    )
    return Series(since, until, len(entries), seconds, buckets)


def bucket_seconds(since: int, until: int) -> int:
    """Return the shortest span of a bucket by which a time in epoch ms has at most MAX_BUCKETS of them."""
    return next(
        (each for each in BUCKETS if until // (each * 1000) - since // (each * 1000) < MAX_BUCKETS),
        BUCKETS[-1],
    )


def percentile(ascending: Sequence[int], percent: int) -> int | None:
    """Return the smallest value that is not exceeded by so many percent of all; None without any."""
    return ascending[-(-percent * len(ascending) // 100) - 1] if ascending else None


def _last(entry: LogEntry) -> Attempt | None:
    return entry.delivery.attempts[-1] if entry.delivery.attempts else None


def _latency(entry: LogEntry) -> int | None:
    last = _last(entry)
    return last.latency_ms if last else None


def _delivered_at(entry: LogEntry) -> int | None:
    last = _last(entry)
    return last.at if last and entry.outcome is Outcome.DELIVERED else None


def _failures(entry: LogEntry) -> list[Failure]:
    """Return the failed attempts: all but the one that delivered it."""
    attempts = entry.delivery.attempts
    failed = attempts[:-1] if entry.outcome is Outcome.DELIVERED else attempts
    return [Failure(each.at, each.reason or f"HTTP {each.status}") for each in failed]


def _mean_times(entries: Sequence[LogEntry]) -> PhaseTimes | None:
    times = [last.times for entry in entries if (last := _last(entry)) and last.times]
    if not times:
        return None
    return PhaseTimes(*(round(sum(each) / len(times)) for each in zip(*times, strict=True)))
