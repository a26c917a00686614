"""A replay: deliveries that are sent again, page by page; a recovery is one that the service began itself."""

from dataclasses import replace
from enum import StrEnum
from typing import Self

from webhooks.domain.delivery import ReleaseKind
from webhooks.domain.delivery_log import LogQuery
from webhooks.domain.scope import Scope
from webhooks.domain.values import value_type

DEFAULT_RATE = 10  # deliveries per second
MAX_RATE = 1000
MAX_DELIVERIES = 1_000_000  # of a replay
MAX_RUNNING = 10  # replays of a community
LIVING_MS = 600_000  # since its last sign of life, a recovery goes on
IDLE_PASSES = 2  # of a recovery that found nothing, until the backlog counts as empty


class ReplayState(StrEnum):
    """Where a replay stands."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    STOPPED = "stopped"  # its endpoint failed again, or its webhook is paused, disabled or gone


@value_type(frozen=True, slots=True)
class PagePlan:
    """The deliveries of a page, as they were when it was first read: a repeat sends these and no others.

    `last`: the delivery after which the next page begins, None at the end. `sent`, `without_payload`: how
    many deliveries it sends, and how many it cannot send.
    """

    last: str | None
    sent: int = 0
    without_payload: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found up to the end."""
        return self.last is None and not (self.sent or self.without_payload)


@value_type(frozen=True, slots=True)
class Replay:
    """A replay with its progress; times in epoch ms.

    It sends `deliveries` by their ids, or those that the query finds; a recovery has the query of its webhook
    alone, and sends the backlog. `rate`: deliveries per second. `total`: deliveries that were counted when it
    began. `sent`: handed to the slow lane. `without_payload`: their payload is not kept. `passed_over`: they
    were delivered or changed meanwhile, as its end shows. `page`: the number of the next page, from 0;
    `after`: the last delivery of the page before; `plan`: of the page that was begun and is not moved past;
    `holder`: the message that began the last page. `next_at`: when the next delivery may be sent. `idle`:
    passes of a recovery, one after another, that found nothing.
    """

    id: str
    scope: Scope
    kind: ReleaseKind
    rate: int
    created_at: int
    created_by: str
    query: LogQuery | None = None
    deliveries: tuple[str, ...] = ()
    state: ReplayState = ReplayState.RUNNING
    total: int = 0
    sent: int = 0
    without_payload: int = 0
    passed_over: int = 0
    page: int = 0
    after: str | None = None
    updated_at: int = 0
    reason: str | None = None
    next_at: int = 0
    idle: int = 0
    plan: PagePlan | None = None
    holder: str | None = None

    @property
    def is_running(self) -> bool:
        """Whether further pages follow."""
        return self.state is ReplayState.RUNNING

    def moved(self, plan: PagePlan, *, now: int, next_at: int) -> Self:
        """Return it past a page, done where that was the last one. A cancelled one stays cancelled.

        A recovery begins again at its end, until IDLE_PASSES in a row found nothing.
        """
        after = replace(
            self,
            sent=self.sent + plan.sent,
            without_payload=self.without_payload + plan.without_payload,
            page=self.page + 1,
            after=plan.last,
            updated_at=now,
            next_at=next_at,
            plan=None,
        )
        if self.kind is ReleaseKind.RECOVERY:
            found_nothing = plan.is_empty and self.after is None
            total = after.sent + after.without_payload
            after = replace(after, total=total, idle=self.idle + 1 if found_nothing else 0)
        is_at_end = plan.last is None and (self.kind is not ReleaseKind.RECOVERY or after.idle >= IDLE_PASSES)
        return after.ended(ReplayState.DONE, now=now) if is_at_end and self.is_running else after

    def ended(self, state: ReplayState, *, now: int, reason: str | None = None) -> Self:
        """Return it ended. Deliveries that were counted and not found again are passed over: all add up."""
        missing = max(0, self.total - self.sent - self.without_payload)
        passed_over = missing if state is ReplayState.DONE else 0
        return replace(self, state=state, passed_over=passed_over, updated_at=now, reason=reason)


def make_replay_id(*, now: float, random: bytes) -> str:
    """Return a replay's id of 24 hex characters; ids sort by time. `now` in epoch seconds."""
    return f"{int(now * 1000) & (2**48 - 1):012x}{random[:6].hex()}"


@value_type(frozen=True, slots=True)
class ReplayPage:
    """The message that asks for a page of a replay."""

    scope: Scope
    replay_id: str
    page: int


@value_type(frozen=True, slots=True)
class WebhookCheck:
    """The message that asks for a look at a webhook: to probe its endpoint, or to begin its recovery.

    `probe_at`: the time of the probe in the webhook's health, in epoch ms; another one was begun meanwhile
    where they differ. None: to look now.
    """

    scope: Scope
    webhook_id: str
    probe_at: int | None = None


type RecoveryTask = ReplayPage | WebhookCheck
