"""The rules of an endpoint's health: what a batch's attempts make of it, and what follows. Pure."""

from dataclasses import dataclass, replace

from webhooks.domain.health import Health, State
from webhooks.domain.values import value_type

SUCCEEDED = "an attempt succeeded"
SLOW = "an attempt took long"
QUICK = "attempts are quick again"
DOWN = (State.HELD, State.FAILING)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRules:
    """The deployment's: failures in a row, and the seconds that they span, open the breaker.

    `probe_seconds`: until the first probe.
    """

    breaker_failures: int
    breaker_seconds: int
    probe_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The attempts of a batch at one endpoint, and what became of its webhook's deliveries.

    `succeeded_at`: the time of the last success, in epoch ms, None without any. `failures`: attempts without
    a response or with a retry code, `reason` of the last. `is_exhausted`: a delivery that may begin a failure
    has no attempt left. `has_backlog`: deliveries are held or recoverable now. `is_slow`: whether the webhook
    is slow from now on, None where that stays. `successes_tell` and `failures_tell`: some are of deliveries
    whose events are not about webhooks themselves.
    """

    succeeded_at: int | None = None
    failures: int = 0
    reason: str = ""
    is_exhausted: bool = False
    has_backlog: bool = False
    is_slow: bool | None = None
    successes_tell: bool = False
    failures_tell: bool = False


@value_type(frozen=True, slots=True)
class Check:
    """A look at the webhook that is to follow after `delay` seconds; `probe_at` as in WebhookCheck."""

    probe_at: int | None
    delay: int


@value_type(frozen=True, slots=True)
class Change:
    """A new health, and what follows from it.

    `state`: the one that an event of the community tells of, `since` epoch ms; None without an event.
    """

    health: Health
    reason: str
    state: State | None = None
    since: int | None = None
    check: Check | None = None


def observe(before: Health, seen: Observed, rules: HealthRules, *, now: int) -> Change | None:
    """Return the change that a batch makes of a health at `now` (epoch ms), None where it makes none."""
    after = before
    if seen.succeeded_at is not None and seen.succeeded_at >= _last_trouble(before):
        after = _succeeded(after)
    elif seen.failures:
        after = _failed(after, seen, rules, now)
    slow_since = (after.slow_since or now) if seen.is_slow else None
    if seen.is_slow is not None and after.slow_since != slow_since:
        after = replace(after, slow_since=slow_since)
    if seen.has_backlog and after.backlog_since is None:
        after = replace(after, backlog_since=now)
    if after is before or after == before:
        return None
    return _consequences(before, after, seen, rules=rules, now=now)


def shown(health: Health) -> State:
    """Return the state that is shown of a health, without its webhook's own settings."""
    if health.held_since is not None:
        return State.HELD
    if health.failing_since is not None:
        return State.FAILING
    return State.SLOW if health.slow_since is not None else State.HEALTHY


def _last_trouble(health: Health) -> int:
    """Return when an endpoint's trouble got worse: a success before that says nothing of it."""
    return max(health.failures_since or 0, health.failing_since or 0, health.held_since or 0)


def _succeeded(health: Health) -> Health:
    if not _has_trouble(health):  # nearly always, and a copy costs more than the question
        return health
    return replace(
        health,
        failing_since=None,
        held_since=None,
        failures=0,
        failures_since=None,
        probe_at=None,
        probe_delay=None,
    )


def _has_trouble(health: Health) -> bool:
    since = (health.failing_since, health.held_since, health.failures_since, health.probe_at)
    return health.failures > 0 or health.probe_delay is not None or any(each is not None for each in since)


def _failed(health: Health, seen: Observed, rules: HealthRules, now: int) -> Health:
    """Count failures, only as far as the breaker needs: an endpoint that is down is written no oftener."""
    failures = min(health.failures + seen.failures, max(health.failures, rules.breaker_failures))
    since = now if health.failures_since is None else health.failures_since
    after = replace(health, failures=failures, failures_since=since)
    if seen.is_exhausted and after.failing_since is None:
        after = replace(after, failing_since=now)
    spans = now - since >= rules.breaker_seconds * 1000
    if failures >= rules.breaker_failures and spans and after.held_since is None:
        after = replace(after, held_since=now)
    return after


def _consequences(before: Health, after: Health, seen: Observed, *, rules: HealthRules, now: int) -> Change:
    old, new = shown(before), shown(after)
    reason = _reason(old, new, after, seen)
    check: Check | None = None
    if new in DOWN and after.probe_at is None:
        probe_at = now + rules.probe_seconds * 1000
        after = replace(after, probe_at=probe_at, probe_delay=rules.probe_seconds)
        check = Check(probe_at, rules.probe_seconds)
    elif old in DOWN and new not in DOWN and after.backlog_since is not None:
        check = Check(None, 0)
    elif new not in DOWN and before.backlog_since is None and after.backlog_since is not None:
        check = Check(None, rules.probe_seconds)
    if old is new:
        return Change(after, reason, check=check)
    after = after.changed(now, new, reason)
    if new in DOWN and seen.failures_tell:
        since = after.held_since if new is State.HELD else after.failing_since
        return Change(after, reason, new, since, check)
    if old in DOWN and new not in DOWN and seen.successes_tell:
        return Change(after, reason, State.HEALTHY, now, check)
    return Change(after, reason, check=check)


def _reason(old: State, new: State, after: Health, seen: Observed) -> str:
    if new is State.HELD:
        return f"{after.failures} attempts in a row failed, the last: {seen.reason}"
    if new is State.FAILING:
        return seen.reason
    if old in DOWN:
        return SUCCEEDED
    return SLOW if new is State.SLOW else QUICK
