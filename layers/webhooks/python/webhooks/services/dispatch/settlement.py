"""Settles deliveries: queue again or dead-letter, then record; which messages must come again, and counts.

The order makes a crash harmless: a delivery is queued again or dead-lettered before the log says so, and the
log says so before the message is acknowledged.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from webhooks.domain.delivery import Pack, ReleaseKind
from webhooks.domain.delivery_log import LogEntry, Logged, LogKey, Mark, Outcome, log_key, with_details
from webhooks.domain.errors import UnavailableError
from webhooks.domain.poison import poison_reason
from webhooks.domain.retry import DeadLettered, PutBack, RetryAfter, Verdict
from webhooks.ports import Clock, DeliveryLog, DeliveryQueue
from webhooks.services.dispatch.counts import Settled, Tally
from webhooks.services.dispatch.rate_limits import delayed_packs
from webhooks.services.dispatch.requeued import requeued_packs
from webhooks.services.dispatch.stages import (
    Decided,
    Decoded,
    Deferred,
    Delayed,
    DeliveryMessage,
    Failed,
    Held,
    LookedFor,
    Malformed,
    Newer,
    Skipped,
    Stage,
    message_of,
)

logger = logging.getLogger(__name__)


class Settlement:
    """Settles deliveries, also from a thread of its own."""

    def __init__(self, *, queue: DeliveryQueue, log: DeliveryLog, clock: Clock) -> None:
        self._queue = queue
        self._log = log
        self._clock = clock

    def settle(self, stages: Sequence[Stage]) -> Settled:
        """Settle deliveries. Raises no Exception."""
        try:
            return self._settle([_without_poison(stage) for stage in stages])
        except Exception as error:  # noqa: BLE001 - the boundary of a wave: its messages come again
            messages = {message.id: message for message in map(message_of, stages)}
            return self.fail(list(messages.values()), error)

    def fail(self, messages: Sequence[DeliveryMessage], error: Exception) -> Settled:
        """Leave messages on which our own code failed to their next receive, and dead-letter poison."""
        logger.error("messages.fault", extra={"messages": len(messages)}, exc_info=error)
        reasons = {message: poison_reason(error, message.receives) for message in messages}
        again = {
            message.id
            for message, reason in reasons.items()
            if reason is None or not self._is_dead_lettered(message, reason)
        }
        return Settled(again, Tally(poisoned=len(messages) - len(again)))

    def _settle(self, stages: Sequence[Stage]) -> Settled:
        now = round(self._clock() * 1000)
        requeued = requeued_packs(stages)
        delays = {key: delay for pack, delay in requeued for key in _keys([pack])}
        lost = self._requeue([*requeued, *delayed_packs(stages, now)]) | self._send_to_dlq(stages)
        again: set[str] = set()
        entries: list[tuple[Decided | Skipped | Held, LogEntry]] = []
        malformed = 0
        for stage in stages:
            match stage:
                case Failed():
                    again.add(stage.decoded.message.id)
                case Newer(message):
                    again.add(message.id)
                case Malformed(message, reason):
                    is_dead = self._is_dead_lettered(message, reason)
                    malformed += is_dead
                    again |= set() if is_dead else {message.id}
                case Decided() | Skipped() | Deferred() | LookedFor() | Delayed() if (
                    stage.decoded.key in lost
                ):
                    again.add(stage.decoded.message.id)
                case Decided() | Skipped():
                    entries.append((stage, _entry(stage, now=now, delay=delays.get(stage.decoded.key))))
                case Held():
                    entries.append((stage, _entry(stage, now=now)))
        settled = Settled(again, Tally(poisoned=malformed))
        unrecorded = {each.key for each in self._record([entry for _, entry in entries])}
        for recorded, entry in entries:
            if entry.key in unrecorded and isinstance(recorded, Held):  # the log alone keeps it
                settled.again.add(recorded.decoded.message.id)
            else:
                settled.tally.count(recorded, entry.outcome)
                settled.tally.unrecorded += entry.key in unrecorded
        return settled

    def _requeue(self, packs: Sequence[tuple[Pack, int]]) -> set[LogKey]:
        """Queue retries, deferred and delayed deliveries; return those that the queue did not take."""
        try:
            return _keys(self._queue.send_slow(packs) if packs else ())
        except UnavailableError as error:
            logger.warning("deliveries.not_requeued", extra={"packs": len(packs), "reason": str(error)})
            return _keys(pack for pack, _ in packs)

    def _send_to_dlq(self, stages: Iterable[Stage]) -> set[LogKey]:
        """Dead-letter deliveries without a further attempt; return those that the queue did not take."""
        packs = _dead_lettered(stages)
        try:
            return _keys(self._queue.send_to_dlq(packs) if packs else ())
        except UnavailableError as error:
            logger.warning("deliveries.not_dead_lettered", extra={"packs": len(packs), "reason": str(error)})
            return _keys(pack for pack, _ in packs)

    def _is_dead_lettered(self, message: DeliveryMessage, reason: str) -> bool:
        """Dead-letter a message as it came; tell whether the queue took it."""
        try:
            self._queue.send_text_to_dlq(message.text, reason)
        except Exception as error:
            extra, fault = {"message_id": message.id, "reason": str(error)}, None
            if not isinstance(error, UnavailableError):
                extra["reason"], fault = type(error).__name__, error
            logger.warning("message.not_dead_lettered", extra=extra, exc_info=fault)
            return False
        return True

    def _record(self, entries: Sequence[LogEntry]) -> Sequence[LogEntry]:
        """Record deliveries; return those that the log did not take.

        For one that was attempted a second callback would be worse than a gap in the log.
        """
        try:
            unrecorded = self._log.record(entries) if entries else ()
        except UnavailableError:
            unrecorded = entries
        if unrecorded:
            logger.error("deliveries.unrecorded", extra={"deliveries": len(unrecorded)})
        return unrecorded


def _without_poison(stage: Stage) -> Stage:
    """Log a failed delivery, and return poison as skipped.

    An outage ends by itself: it makes no delivery poison.
    """
    if not isinstance(stage, Failed):
        return stage
    delivery_id, receives = stage.decoded.delivery.id, stage.decoded.message.receives
    if stage.fault is not None:
        logger.error("delivery.fault", extra={"delivery_id": delivery_id}, exc_info=stage.fault)
        if (reason := poison_reason(stage.fault, receives)) is not None:
            return Skipped(stage.decoded, reason, dead=True, is_fault=True)
    logger.warning("delivery.postponed", extra={"delivery_id": delivery_id, "reason": stage.reason})
    return stage


def _dead_lettered(stages: Iterable[Stage]) -> list[tuple[Pack, str]]:
    """Return each dead delivery as a pack of its own, so that the operator can redrive one alone."""
    return [
        (
            replace(stage.decoded.pack, deliveries=(stage.decoded.delivery,), looked_to=None),
            _end_of(stage)[1] or "",
        )
        for stage in stages
        if isinstance(stage, Decided | Skipped) and _is_dead(stage)
    ]


def _is_dead(stage: Decided | Skipped) -> bool:
    """Tell whether a delivery is dead now: one that is put back is in the dead-letter queue already."""
    return _end_of(stage)[0] is Outcome.DEAD and not isinstance(_verdict_of(stage), PutBack)


def _verdict_of(stage: Stage) -> Verdict | None:
    return stage.verdict if isinstance(stage, Decided) else None


def _keys(packs: Iterable[Pack]) -> set[LogKey]:
    return {log_key(pack.webhook_id, delivery) for pack in packs for delivery in pack.deliveries}


def _end_of(stage: Decided | Skipped | Held) -> tuple[Outcome, str | None]:
    """Return where a delivery stands, and why."""
    match stage:
        case Held(reason=reason):
            return Outcome.HELD, reason
        case Decided(decoded=Decoded(known=Logged(outcome=before)), verdict=PutBack(reason)):
            return before, reason
        case Skipped(reason=reason, dead=dead):
            return (Outcome.DEAD if dead else Outcome.SKIPPED), reason
        case Decided(verdict=RetryAfter()):
            return Outcome.RETRYING, None
        case Decided(verdict=DeadLettered(reason)):
            return Outcome.DEAD, reason
    return Outcome.DELIVERED, None


def _entry(stage: Decided | Skipped | Held, *, now: int, delay: int | None = None) -> LogEntry:
    """Return a delivery's line in the log at `now`, epoch ms; `delay`: seconds until its retry."""
    outcome, reason = _end_of(stage)
    decoded, verdict = stage.decoded, _verdict_of(stage)
    known, release = decoded.known, decoded.pack.release
    match verdict:
        case DeadLettered(is_recoverable=is_recoverable):
            pass
        case PutBack():
            is_recoverable = known is not None and known.is_recoverable
        case _:
            is_recoverable = False
    return LogEntry(
        decoded.key,
        with_details(decoded.delivery, known),
        decoded.pack.scope,
        outcome=outcome,
        settled_at=now,
        reason=reason,
        next_at=None if delay is None else now + delay * 1000,
        mark=Mark.REPLAY if release is not None and release.kind is ReleaseKind.REPLAY else None,
        is_recoverable=is_recoverable,
        has_payload=known is not None and known.has_payload,
        # The look for it of another message may be past the place of a shared item.
        is_new=known is None
        and release is None
        and decoded.delivery.is_marked
        and decoded.pack.looked_to is None,
    )
