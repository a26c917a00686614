"""The end of a batch: queue again, dead-letter, record, disable; then say which messages are not settled.

The order makes a crash harmless: a delivery is queued again or dead-lettered before the log says so, and the
log says so before the message is acknowledged. A webhook whose endpoint is gone is disabled last: that
can take long, and where it does not happen the next 410 does it.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from webhooks.domain.delivery import Pack
from webhooks.domain.delivery_log import LogEntry, LogKey, Outcome, log_key
from webhooks.domain.errors import CorruptError, StaleError, UnavailableError, WebhooksError
from webhooks.domain.retry import DeadLettered, RetryAfter
from webhooks.ports import Clock, DeliveryLog, DeliveryQueue, Subscriptions, TimeLeft
from webhooks.services.dispatch.stages import Decided, Deferred, Duplicate, Failed, Skipped, Stage

logger = logging.getLogger(__name__)

# A change that loses race after race in a busy community takes 10, a call that hangs 9.
DISABLING_SECONDS = 15


class Settlement:
    """Settles batches. `time_left`: of the invocation."""

    def __init__(
        self,
        *,
        queue: DeliveryQueue,
        log: DeliveryLog,
        subscriptions: Subscriptions,
        clock: Clock,
        time_left: TimeLeft,
    ) -> None:
        self._queue = queue
        self._log = log
        self._subscriptions = subscriptions
        self._clock = clock
        self._time_left = time_left

    def settle(self, stages: Sequence[Stage]) -> set[str]:
        """Settle a batch; returns the ids of the messages that must come again."""
        failed = {stage.message_id for stage in stages if isinstance(stage, Failed)}
        lost = self._requeue(stages) | self._send_to_dlq(stages)
        now = round(self._clock() * 1000)
        entries = []
        for stage in stages:
            if isinstance(stage, Failed | Duplicate):
                continue
            if log_key(stage.pack.webhook_id, stage.delivery) in lost:
                failed.add(stage.message_id)
            elif not isinstance(stage, Deferred):
                entries.append(_entry(stage, now=now))
        self._record(entries)
        self._disable_gone(stages)
        repeated = [stage for stage in stages if isinstance(stage, Duplicate)]
        return failed | {stage.message_id for stage in repeated if stage.settled_with in failed}

    def _requeue(self, stages: Iterable[Stage]) -> set[LogKey]:
        """Queue again what is not at its end; returns the deliveries that the queue did not take."""
        packs = _requeued(stages)
        try:
            return _keys(self._queue.send_slow(packs) if packs else ())
        except UnavailableError as error:
            logger.warning("deliveries.not_requeued", extra={"packs": len(packs), "reason": str(error)})
            return _keys(pack for pack, _ in packs)

    def _send_to_dlq(self, stages: Iterable[Stage]) -> set[LogKey]:
        """Bury the dead; returns the deliveries that the queue did not take."""
        packs = _dead_lettered(stages)
        try:
            return _keys(self._queue.send_to_dlq(packs) if packs else ())
        except UnavailableError as error:
            logger.warning("deliveries.not_dead_lettered", extra={"packs": len(packs), "reason": str(error)})
            return _keys(pack for pack, _ in packs)

    def _record(self, entries: Sequence[LogEntry]) -> None:
        try:
            unrecorded = self._log.record(entries) if entries else ()
        except UnavailableError:
            unrecorded = entries
        if unrecorded:  # to deliver again what was delivered would be worse than a gap in the log
            logger.error("deliveries.unrecorded", extra={"deliveries": len(unrecorded)})

    def _disable_gone(self, stages: Iterable[Stage]) -> None:
        gone = {
            stage.webhook.id: stage
            for stage in stages
            if isinstance(stage, Decided) and isinstance(stage.verdict, DeadLettered) and stage.verdict.gone
        }
        for stage in gone.values():
            webhook = stage.webhook
            if self._time_left() < DISABLING_SECONDS:
                reason = "the invocation has no time left for it"
                logger.warning("webhook.not_disabled", extra={"webhook_id": webhook.id, "reason": reason})
                continue
            after = replace(
                webhook,
                definition=replace(webhook.definition, disabled=True),
                disabled_reason=_reason(stage),
                revision=webhook.revision + 1,
            )
            try:
                self._subscriptions.change(webhook, after, record=None)
            except (StaleError, CorruptError, WebhooksError) as error:
                # Its owner changed it meanwhile, or the store is away: the next 410 disables it.
                logger.warning("webhook.not_disabled", extra={"webhook_id": webhook.id, "reason": str(error)})
            else:
                logger.warning(
                    "webhook.disabled", extra={"webhook_id": webhook.id, "reason": after.disabled_reason}
                )


def _requeued(stages: Iterable[Stage]) -> list[tuple[Pack, int]]:
    """Put what is tried again, or left to the slow lane, into one pack for each that it came in.

    The longest delay holds for all that are tried again.
    """
    packs: dict[tuple[str, bool], list[tuple[Decided | Deferred, int]]] = defaultdict(list)
    for stage in stages:
        if isinstance(stage, Decided) and isinstance(stage.verdict, RetryAfter):
            packs[stage.message_id, True].append((stage, stage.verdict.delay))
        elif isinstance(stage, Deferred):
            packs[stage.message_id, False].append((stage, 0))
    return [
        (
            replace(retries[0][0].pack, deliveries=tuple(stage.delivery for stage, _ in retries)),
            max(delay for _, delay in retries),
        )
        for retries in packs.values()
    ]


def _dead_lettered(stages: Iterable[Stage]) -> list[tuple[Pack, str]]:
    """Return each dead delivery as a pack of its own, so that the operator can redrive one alone."""
    return [
        (replace(stage.pack, deliveries=(stage.delivery,)), _reason(stage) or "")
        for stage in stages
        if isinstance(stage, Decided | Skipped) and _outcome(stage) is Outcome.DEAD
    ]


def _keys(packs: Iterable[Pack]) -> set[LogKey]:
    return {log_key(pack.webhook_id, delivery) for pack in packs for delivery in pack.deliveries}


def _outcome(stage: Decided | Skipped) -> Outcome:
    match stage:
        case Skipped(dead=dead):
            return Outcome.DEAD if dead else Outcome.ENDED
        case Decided(verdict=RetryAfter()):
            return Outcome.RETRYING
        case Decided(verdict=DeadLettered()):
            return Outcome.DEAD
    return Outcome.DELIVERED


def _reason(stage: Decided | Skipped) -> str | None:
    if isinstance(stage, Skipped):
        return stage.reason
    return stage.verdict.reason if isinstance(stage.verdict, DeadLettered) else None


def _entry(stage: Decided | Skipped, *, now: int) -> LogEntry:
    return LogEntry(
        delivery=stage.delivery,
        webhook_id=stage.pack.webhook_id,
        scope=stage.pack.scope,
        outcome=_outcome(stage),
        settled_at=now,
        reason=_reason(stage),
    )
