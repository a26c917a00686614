"""A replay: deliveries that are sent again, page by page; a recovery is one that the service began itself."""

from dataclasses import dataclass
from enum import StrEnum

from webhooks.domain.delivery import ReleaseKind
from webhooks.domain.delivery_log import LogQuery
from webhooks.domain.scope import Scope

DEFAULT_RATE = 10  # deliveries per second
MAX_RATE = 1000


class ReplayState(StrEnum):
    """Where a replay stands."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    STOPPED = "stopped"  # its endpoint failed again, or its webhook is paused, disabled or gone


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay with its progress; times in epoch ms.

    It sends `deliveries` by their ids, or those that the query finds; a recovery has the query of its webhook
    alone, and sends the backlog. `rate`: deliveries per second. `total`: deliveries that were counted when it
    began. `sent`: handed to the slow lane. `without_payload`: their payload is not kept. `passed_over`: they
    were delivered or changed meanwhile. `page`: the number of the next page, from 0; `after`: the last
    delivery of the page before.
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


@dataclass(frozen=True, slots=True)
class ReplayPage:
    """The message that asks for a page of a replay."""

    scope: Scope
    replay_id: str
    page: int


@dataclass(frozen=True, slots=True)
class WebhookCheck:
    """The message that asks for a look at a webhook: to probe its endpoint, or to begin its recovery.

    `probe_at`: the time of the probe in the webhook's health, in epoch ms; another one was begun meanwhile
    where they differ. None: to look now.
    """

    scope: Scope
    webhook_id: str
    probe_at: int | None = None


type RecoveryTask = ReplayPage | WebhookCheck
