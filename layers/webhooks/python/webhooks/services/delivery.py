"""A batch of packs from the deliveries queue, delivered: prepare -> send -> decide -> settle.

A message is acknowledged when each of its deliveries is settled: delivered, queued again, in the dead-letter
queue with its reason, or ended because its webhook is gone. What is not settled comes again with the message,
and the log tells then which of its deliveries are done.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from webhooks.domain.delivery import Attempt, Delivery, Pack, decode_pack
from webhooks.domain.errors import MalformedPackError, UnavailableError
from webhooks.domain.exchange import Answer, Exchange
from webhooks.domain.outcome import Logged, LogKey, log_key
from webhooks.domain.retry import Delivered, Verdict, decide
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook
from webhooks.ports import Chance, Clock, CorruptError, CredentialMissingError, DeliveryLog, DeliveryQueue
from webhooks.ports import Subscriptions as SubscriptionStore
from webhooks.services.attempt import Attempts
from webhooks.services.settlement import Decided, Ended, Settlement, Unsettled

logger = logging.getLogger(__name__)

type Found = Mapping[tuple[Scope, str], Webhook | CorruptError]


@dataclass(frozen=True, slots=True)
class DeliveryMessage:
    """A message of the deliveries queue; `received` counts how often, this time included."""

    id: str
    text: str
    received: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A message that is a pack."""

    message: DeliveryMessage
    pack: Pack


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery with the webhook as it is now: ready to be sent."""

    message_id: str
    pack: Pack
    delivery: Delivery
    webhook: Webhook


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery after its attempt."""

    prepared: Prepared
    exchange: Exchange
    attempt: Attempt


class Dispatch:
    """Delivers batches. `delays` in seconds between attempts; `workers` send at the same time."""

    def __init__(
        self,
        *,
        subscriptions: SubscriptionStore,
        log: DeliveryLog,
        queue: DeliveryQueue,
        attempts: Attempts,
        settlement: Settlement,
        workers: Executor,
        clock: Clock,
        chance: Chance,
        delays: tuple[int, ...],
    ) -> None:
        self._subscriptions = subscriptions
        self._log = log
        self._queue = queue
        self._attempts = attempts
        self._settlement = settlement
        self._workers = workers
        self._clock = clock
        self._chance = chance
        self._delays = delays

    def dispatch(self, messages: Sequence[DeliveryMessage]) -> set[str]:
        """Deliver a batch; returns the ids of the messages that must come again."""
        failed: set[str] = set()
        opened = list(self._open(messages, failed))
        try:
            webhooks = self._subscriptions.get_many(sorted({_key(each.pack) for each in opened}))
            settled_before = self._settled_before(opened)
        except UnavailableError as error:
            logger.warning("batch.postponed", extra={"messages": len(opened), "reason": str(error)})
            return failed | {each.message.id for each in opened}
        prepared = [
            stage for each in opened for stage in self._prepare(each, webhooks, settled_before=settled_before)
        ]
        stages = list(self._workers.map(self._send_and_decide, prepared))
        return failed | self._settlement.settle(stages)

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

    def _settled_before(self, opened: Sequence[Opened]) -> Mapping[LogKey, Logged]:
        """Look up what became of the deliveries of messages that were here before."""
        keys = [
            log_key(each.pack.webhook_id, delivery)
            for each in opened
            if each.message.received > 1
            for delivery in each.pack.deliveries
        ]
        return self._log.find(keys) if keys else {}

    def _prepare(
        self, opened: Opened, webhooks: Found, *, settled_before: Mapping[LogKey, Logged]
    ) -> Iterable[Prepared | Ended | Unsettled]:
        pack, message_id = opened.pack, opened.message.id
        webhook = webhooks.get(_key(pack))
        for delivery in pack.deliveries:
            logged = settled_before.get(log_key(pack.webhook_id, delivery))
            if logged is not None and len(logged.attempts) > len(delivery.attempts):
                continue
            if isinstance(webhook, CorruptError):
                yield Ended(
                    message_id, pack, delivery, reason=f"the webhook cannot be read: {webhook}", dead=True
                )
            elif webhook is None:
                yield Ended(message_id, pack, delivery, reason="webhook deleted")
            elif not webhook.enabled:
                yield Ended(message_id, pack, delivery, reason=webhook.disabled_reason or "webhook disabled")
            else:
                yield Prepared(message_id, pack, delivery, webhook)

    def _send_and_decide(self, stage: Prepared | Ended | Unsettled) -> Decided | Ended | Unsettled:
        if not isinstance(stage, Prepared):
            return stage
        try:
            return self._decide(self._send(stage))
        except CredentialMissingError:
            reason = "the webhook's credential is missing; save the webhook with its credential again"
            return Ended(stage.message_id, stage.pack, stage.delivery, reason=reason, dead=True)
        except UnavailableError as error:
            reason = str(error)
        except Exception as error:
            logger.exception("delivery.fault", extra={"delivery_id": stage.delivery.id})
            reason = type(error).__name__
        logger.warning("delivery.postponed", extra={"delivery_id": stage.delivery.id, "reason": reason})
        return Unsettled(stage.message_id)

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
            verdict=verdict,
        )
        _log_attempt(decided, verdict)
        return decided


def _key(pack: Pack) -> tuple[Scope, str]:
    return pack.scope, pack.webhook_id


def _attempt_of(exchange: Exchange, webhook: Webhook, *, at: int) -> Attempt:
    if isinstance(exchange, Answer):
        failed = exchange.status not in webhook.definition.success_codes
        return Attempt(
            at=at,
            latency_ms=exchange.latency_ms,
            status=exchange.status,
            address=exchange.address,
            excerpt=(exchange.excerpt or None) if failed else None,
        )
    return Attempt(
        at=at,
        latency_ms=exchange.latency_ms,
        reason=f"{exchange.reason}: {exchange.detail}",
        address=exchange.address,
    )


def _log_attempt(decided: Decided, verdict: Verdict) -> None:
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
            "latency_ms": attempt.latency_ms,
            "verdict": type(verdict).__name__.lower(),
            "delivered": isinstance(verdict, Delivered),
        },
    )
