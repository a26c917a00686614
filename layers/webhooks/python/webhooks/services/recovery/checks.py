"""A look at a webhook: a probe while its endpoint does not respond, a recovery of its backlog afterwards.

A delayed task is the timer of the probes. The next one is sent before the webhook names its time, and only
the one that it names counts: a crash leaves a task that is dropped, or one more look, never none. The
schedule of functions/maintenance sends a look where the timer was lost nevertheless.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from webhooks.domain.delivery import Pack, Release, ReleaseKind
from webhooks.domain.delivery_log import LogEntry, LogQuery, Outcome
from webhooks.domain.errors import ConflictError, StaleError, UnavailableError
from webhooks.domain.health import Health
from webhooks.domain.replay import LIVING_MS, Replay, ReplayPage, WebhookCheck, make_replay_id
from webhooks.domain.retry import MAX_DELAY
from webhooks.domain.webhook import Webhook
from webhooks.ports import (
    Clock,
    DeliveryLogReader,
    HealthStore,
    RandomBytes,
    RecoveryQueue,
    Replays,
    SlowLane,
    Subscriptions,
)
from webhooks.services.recovery.disabling import Disabling, is_hopeless
from webhooks.services.recovery.stops import is_marked, is_troubled

RACES = 3  # with others that change the webhook or its health
CANDIDATES = 10  # for a probe, of the oldest and of the newest deliveries
PROBES_EACH = 12  # attempts of a delivery after which probes turn to those that were not attempted
SERVICE = "service"  # the author of recoveries
FORGOTTEN: Mapping[str, Any] = {"failures": 0, **dict.fromkeys(("failures_since", "probe_at", "probe_delay"))}

logger = logging.getLogger(__name__)


class WebhookChecks:
    """Looks at webhooks. `probe_seconds`: until the first probe; `rate`: of recoveries, per second."""

    def __init__(
        self,
        *,
        subscriptions: Subscriptions,
        health: HealthStore,
        log: DeliveryLogReader,
        lane: SlowLane,
        queue: RecoveryQueue,
        replays: Replays,
        disabling: Disabling,
        clock: Clock,
        random_bytes: RandomBytes,
        probe_seconds: int,
        rate: int,
        disable_after_days: int,
    ) -> None:
        self._subscriptions = subscriptions
        self._health = health
        self._log = log
        self._lane = lane
        self._queue = queue
        self._replays = replays
        self._disabling = disabling
        self._clock = clock
        self._random_bytes = random_bytes
        self._probe_seconds = probe_seconds
        self._rate = rate
        self._disable_after_days = disable_after_days

    def work(self, task: WebhookCheck) -> None:
        """Look at a webhook. Raises UnavailableError, and where others change it all the time."""
        for _ in range(RACES):
            webhook = self._subscriptions.get(task.scope, task.webhook_id)
            if webhook is None:
                self._disabling.end_deleted(task)
                return
            try:
                self._look(webhook, task)
            except StaleError:
                continue
            except ConflictError as error:  # of a change in a busy community
                raise UnavailableError(str(error)) from None
            return
        raise UnavailableError("dynamodb: the webhook changes all the time")

    def _look(self, webhook: Webhook, task: WebhookCheck) -> None:
        """Do what is due. Raises StaleError where the webhook changed meanwhile."""
        if not webhook.enabled:
            self._disabling.end_backlog(webhook)
        elif webhook.definition.paused:
            return  # resuming sends a new task
        elif not is_marked(webhook) and webhook.health.backlog_since is None:
            return
        elif is_troubled(webhook):
            if task.probe_at in (None, webhook.health.probe_at):
                self._probe(webhook)
        else:
            self._recover(webhook)

    def _probe(self, webhook: Webhook) -> None:
        health, now = webhook.health, self._now()
        candidates = self._candidates(webhook)
        if not candidates and not is_marked(webhook):
            # The last of the backlog failed for good: nothing is left that could tell more.
            self._health.save(webhook, replace(health, **FORGOTTEN))
            self._queue.send(WebhookCheck(webhook.scope, webhook.id), delay=1)
            return
        if is_hopeless(webhook, has_backlog=bool(candidates), now=now, days=self._disable_after_days):
            self._disabling.disable(webhook, days=self._disable_after_days)
            return
        delay = min(MAX_DELAY, 2 * health.probe_delay if health.probe_delay else self._probe_seconds)
        probe_at = now + delay * 1000
        self._queue.send(WebhookCheck(webhook.scope, webhook.id, probe_at), delay=delay)
        self._health.save(webhook, replace(health, probe_at=probe_at, probe_delay=delay))
        if (found := self._with_payload(candidates)) is None:
            return
        pack = Pack(webhook.id, webhook.scope, (found.delivery,), Release(ReleaseKind.PROBE, webhook.id))
        if self._lane.send_slow([(pack, 0)]):
            # The task is not repeated for it: its time is past, and the next probe is on its way.
            logger.warning("webhook.not_probed", extra={"webhook_id": webhook.id})
        else:
            logger.info(
                "webhook.probed", extra={"webhook_id": webhook.id, "delivery_id": found.key.delivery_id}
            )

    def _candidates(self, webhook: Webhook) -> list[LogEntry]:
        """Return the oldest and the newest of the backlog, in the order in which probes take them.

        They take turns, as an endpoint may respond again and yet refuse one of them each time. Those that
        were attempted before come first, until each has had PROBES_EACH: no held one is attempted meanwhile.
        """
        oldest = self._log.backlog(webhook.id, after=None, size=CANDIDATES).entries
        held = LogQuery(webhook.scope, webhook.id, Outcome.HELD)
        newest = self._log.newest(held, after=None, size=CANDIDATES).entries
        found = {entry.key: entry for entry in (*oldest, *newest)}
        return sorted(found.values(), key=_turn)

    def _with_payload(self, candidates: Iterable[LogEntry]) -> LogEntry | None:
        """Return the first delivery that has its payload, with it."""
        for entry in candidates:
            if entry.has_payload and (body := self._log.payloads([entry.key]).get(entry.key)) is not None:
                return replace(entry, delivery=replace(entry.delivery, body=body))
        return None

    def _recover(self, webhook: Webhook) -> None:
        """Begin a recovery, or see to the one that has begun."""
        health, now = webhook.health, self._now()
        known = self._replays.get(webhook.scope, health.recovery) if health.recovery else None
        if known is not None and known.is_running:
            is_lost = now - known.updated_at >= LIVING_MS
            if is_lost or known.page == 0:  # its first page may never have been asked for
                self._queue.send(ReplayPage(known.scope, known.id, known.page), delay=0)
            if now - (health.recovery_at or 0) >= LIVING_MS // 2:
                self._health.save(webhook, replace(health, recovery_at=now))
            return
        recovery = self._recovery(webhook, now)
        self._health.save(webhook, _begun(health, recovery))
        self._replays.add(recovery)
        self._queue.send(ReplayPage(recovery.scope, recovery.id, 0), delay=0)
        logger.info("webhook.recovery_begun", extra={"webhook_id": webhook.id, "replay_id": recovery.id})

    def _recovery(self, webhook: Webhook, now: int) -> Replay:
        return Replay(
            id=make_replay_id(now=self._clock(), random=self._random_bytes(6)),
            scope=webhook.scope,
            kind=ReleaseKind.RECOVERY,
            rate=min(self._rate, webhook.definition.rate_limit or self._rate),
            created_at=now,
            created_by=SERVICE,
            query=LogQuery(webhook.scope, webhook.id),
            updated_at=now,
        )

    def _now(self) -> int:
        return round(self._clock() * 1000)


def _turn(entry: LogEntry) -> tuple[int, bool, int, str]:
    tries = entry.delivery.tries
    return tries // PROBES_EACH, tries == 0, tries, entry.key.delivery_id


def _begun(health: Health, recovery: Replay) -> Health:
    return replace(health, recovery=recovery.id, recovery_at=recovery.created_at)
