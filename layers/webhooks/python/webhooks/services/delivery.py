"""A batch of packs from the deliveries queue, delivered: prepare -> send -> decide -> settle.

A message is acknowledged when each of its deliveries is settled: delivered, queued again, in the dead-letter
queue with its reason, or ended because its webhook is gone. What is not settled comes again with the message,
and the log tells then which of its deliveries are done.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial

from webhooks.domain.delivery import Attempt, Delivery, Pack, decode_pack
from webhooks.domain.errors import MalformedPackError, UnavailableError
from webhooks.domain.exchange import Answer, Exchange
from webhooks.domain.lane import Lane
from webhooks.domain.outcome import Logged, log_key
from webhooks.domain.retry import decide
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook
from webhooks.ports import (
    BatchReader,
    Chance,
    Clock,
    CorruptError,
    CredentialMissingError,
    DeliveryQueue,
    Reading,
    Workers,
)
from webhooks.services.attempt import Attempts
from webhooks.services.pace import PaceKeeper
from webhooks.services.settlement import Settlement
from webhooks.services.stages import (
    Decided,
    DeliveryMessage,
    Ended,
    HandedOver,
    Opened,
    Prepared,
    Ready,
    Repeated,
    Sent,
    Stage,
    Unsettled,
)

logger = logging.getLogger(__name__)


class Dispatch:
    """Delivers batches. `delays`: seconds between attempts; `fast_seconds`: the fast lane's time; `workers`
    send at the same time.
    """

    def __init__(
        self,
        *,
        reader: BatchReader,
        queue: DeliveryQueue,
        attempts: Attempts,
        settlement: Settlement,
        pace: PaceKeeper,
        workers: Workers,
        clock: Clock,
        chance: Chance,
        delays: tuple[int, ...],
        fast_seconds: float,
    ) -> None:
        self._reader = reader
        self._queue = queue
        self._attempts = attempts
        self._settlement = settlement
        self._pace = pace
        self._workers = workers
        self._clock = clock
        self._chance = chance
        self._delays = delays
        self._fast_seconds = fast_seconds

    def dispatch(self, messages: Sequence[DeliveryMessage], lane: Lane) -> set[str]:
        """Deliver a batch that came by a lane; returns the ids of the messages that must come again."""
        failed: set[str] = set()
        opened = list(self._open(messages, failed))
        if not opened:
            return failed
        try:
            self._attempts.refresh()
            reading = self._read(opened)
        except UnavailableError as error:
            logger.warning("batch.postponed", extra={"messages": len(opened), "reason": str(error)})
            return failed | {each.message.id for each in opened}
        ready = self._prepare(opened, reading, lane)
        until = self._clock() + self._fast_seconds if lane is Lane.FAST else None
        stages = list(self._workers.map(partial(self._send_and_decide, until=until), ready))
        failed |= self._settlement.settle(stages)
        self._observe(stages)
        return failed

    def _open(self, messages: Sequence[DeliveryMessage], failed: set[str]) -> Iterable[Opened]:
        for message in messages:
            try:
                yield Opened(message, decode_pack(message.text))
            except MalformedPackError as error:
                logger.warning("message.malformed", extra={"message_id": message.id, "reason": str(error)})
                try:
                    self._queue.bury_text(message.text, str(error))
                except UnavailableError:
                    failed.add(message.id)

    def _read(self, opened: Sequence[Opened]) -> Reading:
        webhooks = sorted({_key(each.pack) for each in opened})
        deliveries = {
            log_key(each.pack.webhook_id, delivery): None
            for each in opened
            for delivery in each.pack.deliveries
        }
        return self._reader.read(webhooks, list(deliveries))

    def _prepare(self, opened: Sequence[Opened], reading: Reading, lane: Lane) -> Sequence[Ready]:
        ready: list[Ready] = []
        started: dict[str, str] = {}
        for each in opened:
            webhook = reading.webhooks.get(_key(each.pack))
            for delivery in each.pack.deliveries:
                logged = reading.logged.get(log_key(each.pack.webhook_id, delivery))
                if _is_done(delivery, logged):
                    logger.info("delivery.repeated", extra={"delivery_id": delivery.id})
                elif delivery.id in started:
                    ready.append(Repeated(each.message.id, started[delivery.id]))
                else:
                    started[delivery.id] = each.message.id
                    ready.append(_ready(each, delivery, webhook, lane))
        return ready

    def _send_and_decide(self, stage: Ready, *, until: float | None) -> Stage:
        if not isinstance(stage, Prepared):
            return stage
        if until is not None and self._clock() > until:
            return HandedOver(stage.message_id, stage.pack, stage.delivery)
        try:
            return self._decide(self._send(stage))
        except CredentialMissingError:
            if self._is_as_read(stage):
                reason = "the webhook's credential is missing; save the webhook with its credential again"
                return Ended(stage.message_id, stage.pack, stage.delivery, reason=reason, dead=True)
            reason = "the webhook was changed meanwhile, and its credential with it"
        except UnavailableError as error:
            reason = str(error)
        except Exception as error:  # the boundary of one delivery: a fault of ours costs no other's
            logger.exception("delivery.fault", extra={"delivery_id": stage.delivery.id})
            reason = type(error).__name__
        logger.warning("delivery.postponed", extra={"delivery_id": stage.delivery.id, "reason": reason})
        return Unsettled(stage.message_id)

    def _is_as_read(self, prepared: Prepared) -> bool:
        """Tell whether the webhook is still as the batch read it: a change can take its credential away."""
        key = _key(prepared.pack)
        try:
            webhook = self._reader.read([key], []).webhooks.get(key)
        except UnavailableError:
            return False
        return isinstance(webhook, Webhook) and webhook.revision == prepared.webhook.revision

    def _send(self, prepared: Prepared) -> Sent:
        at = self._clock()
        exchange = self._attempts.send(prepared.webhook, prepared.delivery, now=at)
        return Sent(prepared, exchange, _attempt_of(exchange, prepared.webhook, at=round(at * 1000)))

    def _decide(self, sent: Sent) -> Decided:
        prepared = sent.prepared
        verdict = decide(
            sent.exchange,
            prepared.webhook.definition,
            attempt=len(prepared.delivery.attempts) + 1,
            delays=self._delays,
            now=self._clock(),
            jitter=self._chance(),
        )
        decided = Decided(
            message_id=prepared.message_id,
            pack=prepared.pack,
            delivery=prepared.delivery.tried(sent.attempt),
            webhook=prepared.webhook,
            exchange=sent.exchange,
            verdict=verdict,
        )
        _log_attempt(decided)
        return decided

    def _observe(self, stages: Iterable[Stage]) -> None:
        exchanges: dict[str, list[Exchange]] = defaultdict(list)
        webhooks: dict[str, Webhook] = {}
        for stage in stages:
            if isinstance(stage, Decided):
                webhooks[stage.webhook.id] = stage.webhook
                exchanges[stage.webhook.id].append(stage.exchange)
        for webhook_id, webhook in webhooks.items():
            self._pace.observe(webhook, exchanges[webhook_id])


def _key(pack: Pack) -> tuple[Scope, str]:
    return pack.scope, pack.webhook_id


def _is_done(delivery: Delivery, logged: Logged | None) -> bool:
    """Tell whether the log knows of more attempts: then this message, or its like, was settled before."""
    return logged is not None and len(logged.attempts) > len(delivery.attempts)


def _ready(opened: Opened, delivery: Delivery, webhook: Webhook | CorruptError | None, lane: Lane) -> Ready:
    pack, message_id = opened.pack, opened.message.id
    if isinstance(webhook, CorruptError):
        return Ended(message_id, pack, delivery, reason=str(webhook), dead=True)
    if webhook is None:
        return Ended(message_id, pack, delivery, reason="webhook deleted")
    if not webhook.enabled:
        return Ended(message_id, pack, delivery, reason=webhook.disabled_reason or "webhook disabled")
    if lane is Lane.FAST and webhook.slow_since is not None:
        return HandedOver(message_id, pack, delivery)
    return Prepared(message_id, pack, delivery, webhook)


def _attempt_of(exchange: Exchange, webhook: Webhook, *, at: int) -> Attempt:
    if isinstance(exchange, Answer):
        failed = exchange.status not in webhook.definition.success_codes
        return Attempt(
            at=at,
            latency_ms=exchange.latency_ms,
            status=exchange.status,
            address=exchange.address,
            excerpt=(exchange.excerpt or None) if failed else None,
            location=exchange.location if failed else None,
        )
    return Attempt(
        at=at,
        latency_ms=exchange.latency_ms,
        reason=f"{exchange.reason}: {exchange.detail}",
        address=exchange.address,
    )


def _log_attempt(decided: Decided) -> None:
    attempt = decided.delivery.attempts[-1]
    logger.info(
        "delivery.attempted",
        extra={
            "delivery_id": decided.delivery.id,
            "webhook_id": decided.pack.webhook_id,
            "tenant_id": decided.pack.scope.tenant_id,
            "community_id": decided.pack.scope.community_id,
            "event_id": decided.delivery.event_id,
            "event_name": decided.delivery.event_name,
            "attempt": len(decided.delivery.attempts),
            "status": attempt.status,
            "reason": attempt.reason,
            "address": attempt.address,
            "location": attempt.location,
            "latency_ms": attempt.latency_ms,
            "verdict": type(decided.verdict).__name__.lower(),
        },
    )
