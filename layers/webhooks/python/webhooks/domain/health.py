"""The health of a webhook's endpoint, as it is stored with the webhook: values, no rules of their change."""

from dataclasses import replace
from enum import StrEnum

from webhooks.domain.values import value_type

KEPT_CHANGES = 20  # changes of state that a webhook remembers
MAX_REASON = 128  # characters of a change's reason


class State(StrEnum):
    """The state of a webhook; of several that hold, the first one here is shown."""

    DISABLED = "disabled"  # events skip it
    PAUSED = "paused"  # its tenant holds its deliveries
    HELD = "held"  # its endpoint is down: deliveries are held
    FAILING = "failing"  # a delivery's attempts were exhausted, and none succeeded since
    SLOW = "slow"  # its deliveries take the slow lane
    HEALTHY = "healthy"


@value_type(frozen=True, slots=True)
class StateChange:
    """A change of a webhook's state at `at`, in epoch ms."""

    at: int
    state: State
    reason: str


@value_type(frozen=True, slots=True)
class Health:
    """The health of an endpoint; each time in epoch ms, None while it does not hold.

    `failures`: attempts in a row without an answer or with a retry code, the first at `failures_since`.
    `held_since`: the breaker is open. `backlog_since`: the log may have held or recoverable deliveries.
    `probe_at`: when the next probe is due; `probe_delay`: seconds before it. `recovery`: the id of the
    recovery that sends the backlog, `recovery_at` its last sign of life. `version` counts the writes.
    """

    slow_since: int | None = None
    failing_since: int | None = None
    held_since: int | None = None
    backlog_since: int | None = None
    failures: int = 0
    failures_since: int | None = None
    probe_at: int | None = None
    probe_delay: int | None = None
    recovery: str | None = None
    recovery_at: int | None = None
    changes: tuple[StateChange, ...] = ()
    version: int = 0

    def changed(self, at: int, state: State, reason: str) -> "Health":
        """Return it with one more change of state, without the oldest beyond KEPT_CHANGES."""
        change = StateChange(at, state, reason[:MAX_REASON])
        return replace(self, changes=(*self.changes, change)[-KEPT_CHANGES:])


HEALTHY = Health()
