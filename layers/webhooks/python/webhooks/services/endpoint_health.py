"""The health of endpoints as it is shown: states, and figures of their last deliveries.

All of it is computed from the log and its sparse indexes when it is asked for: no counter is written.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from webhooks.domain.delivery_log import LATEST, UNDELIVERED, LogEntry, LogQuery, Mark, Outcome
from webhooks.domain.errors import NotFoundError
from webhooks.domain.health import State
from webhooks.domain.scope import Scope
from webhooks.domain.series import Figures, Series, figures_of, series_of
from webhooks.domain.values import value_type
from webhooks.domain.webhook import Webhook
from webhooks.ports import Clock, DeliveryLogReader, HealthStore, Subscriptions
from webhooks.services.webhook_pages import EXAMINED, READ, unhealthy_ids
from webhooks.services.webhooks import NO_WEBHOOK, require_webhook_id

LAST = 100  # deliveries that figures are computed from
SERIES = 1_000  # deliveries of a series
PAGES_BEYOND = 2  # pages that are read instead of those that tests took up
COUNTED = 10_000  # undelivered deliveries; more are not counted
FIRST = 10  # of the oldest that are looked at: the index may know some that are delivered by now


@value_type(frozen=True, slots=True)
class WebhookHealth:
    """A webhook's health. `held`, `recoverable`: deliveries, COUNTED for that many or more."""

    webhook: Webhook
    figures: Figures
    held: int
    recoverable: int

    @property
    def since(self) -> int | None:
        """Return when its state began, in epoch ms; None where that is not known."""
        health, state = self.webhook.health, self.webhook.states[0]
        times = {
            State.HELD: health.held_since,
            State.FAILING: health.failing_since,
            State.SLOW: health.slow_since,
        }
        if state in times:
            return times[state]
        # The tenant's own states: the last change that led into this one.
        began = None
        for change in reversed(health.changes):
            if change.state is not state:
                break
            began = change.at
        return began


@value_type(frozen=True, slots=True)
class CommunityHealth:
    """A community's webhooks by the state that is shown, and its undelivered deliveries by outcome.

    `is_exact`: all were counted. `oldest`: the time of the oldest undelivered one's event, in epoch ms.
    """

    total: int
    states: Mapping[State, int]
    undelivered: Mapping[Outcome, int]
    is_exact: bool
    oldest: int | None


class EndpointHealth:
    """The use cases of health. Requests are authorized before they come here."""

    def __init__(
        self, *, subscriptions: Subscriptions, health: HealthStore, log: DeliveryLogReader, clock: Clock
    ) -> None:
        self._subscriptions = subscriptions
        self._health = health
        self._log = log
        self._clock = clock

    def get(self, scope: Scope, webhook_id: str) -> WebhookHealth:
        """Return a webhook with its health. Raises NotFoundError."""
        return self._of(self._stored(scope, webhook_id))

    def several(self, scope: Scope, webhook_ids: Sequence[str]) -> Sequence[WebhookHealth]:
        """Return those webhooks that exist, in the order of the ids."""
        keys = [(scope, webhook_id) for webhook_id in dict.fromkeys(webhook_ids)]
        found = self._subscriptions.get_many(keys)
        return [self._of(webhook) for each in keys if isinstance(webhook := found.get(each), Webhook)]

    def community(self, scope: Scope) -> CommunityHealth:
        """Return the health of a whole community."""
        total, ids = self._subscriptions.count(scope), unhealthy_ids(self._health, scope)
        states: Counter[State] = Counter()
        for start in range(0, min(len(ids), EXAMINED), READ):
            found = self._subscriptions.get_many([(scope, each) for each in ids[start : start + READ]])
            states.update(each.states[0] for each in found.values() if isinstance(each, Webhook))
        states[State.HEALTHY] = max(0, total - sum(states.values()) + states[State.HEALTHY])
        counts = {each: self._log.count(LogQuery(scope, None, each), at_most=COUNTED) for each in UNDELIVERED}
        oldest = self._log.oldest(LogQuery(scope, None), after=None, size=FIRST).entries
        return CommunityHealth(
            total,
            states,
            {outcome: count.deliveries for outcome, count in counts.items()},
            is_exact=len(ids) <= EXAMINED and all(count.is_exact for count in counts.values()),
            oldest=oldest[0].key.log_time if oldest else None,
        )

    def series(self, scope: Scope, webhook_id: str, *, since: int | None, until: int | None) -> Series:
        """Return a webhook's deliveries over time, at most the last SERIES until a time.

        Both times in epoch ms and included. Raises NotFoundError.
        """
        webhook, now = self._stored(scope, webhook_id), round(self._clock() * 1000)
        query = LogQuery(scope, webhook_id, since=since or 0, until=LATEST if until is None else until)
        entries, is_whole = self._newest(query, SERIES)
        end = now if until is None else until
        oldest = entries[-1].key.log_time if entries else end
        if entries:
            end = max(end, entries[0].key.log_time)  # an event may be ahead of the clock
        begin = oldest
        if since is not None and is_whole:
            begin = max(since, min(oldest, webhook.created_at * 1000))
        return series_of(entries, since=min(begin, end), until=end)

    def _of(self, webhook: Webhook) -> WebhookHealth:
        entries, _ = self._newest(LogQuery(webhook.scope, webhook.id), LAST)
        held = recoverable = 0
        if webhook.health.backlog_since is not None:  # without it there are none, and no call is needed
            query = LogQuery(webhook.scope, webhook.id, Outcome.HELD)
            held = self._log.count(query, at_most=COUNTED).deliveries
            query = LogQuery(webhook.scope, webhook.id, Outcome.DEAD, is_recoverable=True)
            recoverable = self._log.count(query, at_most=COUNTED).deliveries
        return WebhookHealth(webhook, figures_of(entries), held, recoverable)

    def _newest(self, query: LogQuery, most: int) -> tuple[Sequence[LogEntry], bool]:
        """Return the newest deliveries but tests, at most so many, and whether they are all."""
        entries: list[LogEntry] = []
        after = reach = None
        for _ in range(-(-most // READ) + PAGES_BEYOND):
            page = self._log.newest(query, after=after, size=READ, reach=reach)
            entries += [entry for entry in page.entries if entry.mark is not Mark.TEST]
            after, reach = page.last, page.reach
            if after is None or len(entries) >= most:
                break
        return entries[:most], after is None and len(entries) <= most

    def _stored(self, scope: Scope, webhook_id: str) -> Webhook:
        require_webhook_id(webhook_id)
        webhook = self._subscriptions.get(scope, webhook_id)
        if webhook is None:
            raise NotFoundError(NO_WEBHOOK)
        return webhook
