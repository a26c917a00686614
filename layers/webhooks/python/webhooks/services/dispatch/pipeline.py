"""A batch of packs from the deliveries queue, delivered: prepare -> sign -> send -> decide -> settle.

A message is acknowledged when each of its deliveries is settled: delivered, queued again, in the dead-letter
queue with its reason, or ended because its webhook is gone. What is not settled comes again with the message,
and the log tells then which of its deliveries are done.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence

from webhooks.domain.delivery import Attempt, decode_pack
from webhooks.domain.errors import MalformedPackError, UnavailableError
from webhooks.domain.http import HttpOutcome, HttpResponse
from webhooks.domain.lane import Lane
from webhooks.domain.poison import poison_reason
from webhooks.domain.retry import decide
from webhooks.domain.webhook import Webhook
from webhooks.ports import (
    BatchReader,
    Clock,
    Conversation,
    DeliveryQueue,
    HttpClient,
    Rng,
    TimeLeft,
    Workers,
)
from webhooks.services.dispatch.attempt import Attempts
from webhooks.services.dispatch.faults import failed, postponed
from webhooks.services.dispatch.preparation import Preparation
from webhooks.services.dispatch.settlement import Settlement
from webhooks.services.dispatch.slow_endpoints import SlowEndpoints
from webhooks.services.dispatch.stages import (
    Decided,
    Decoded,
    Deferred,
    DeliveryMessage,
    Prepared,
    Ready,
    Signed,
    Stage,
)

logger = logging.getLogger(__name__)

# A message that was received so often may have ended its readers: each is worked on alone, when its batch
# mates are settled, in random order, so that none is always behind the same one. Far more often an outage
# held it up, and then it loses nothing by that but a little time.
SUSPECT_RECEIVES = 3
OUT_OF_TIME = "the invocation has no time left to send it and to settle it"


class Dispatcher:
    """Delivers batches. `delays`: seconds between attempts; `fast_seconds`: the fast lane's time; `workers`
    read credentials at the same time; `http` sends all of a batch at once; `time_left`: of the invocation;
    `settling_seconds`: what a settlement needs of it.
    """

    def __init__(
        self,
        *,
        reader: BatchReader,
        queue: DeliveryQueue,
        attempts: Attempts,
        settlement: Settlement,
        slow_endpoints: SlowEndpoints,
        workers: Workers,
        http: HttpClient,
        clock: Clock,
        rng: Rng,
        delays: tuple[int, ...],
        fast_seconds: float,
        time_left: TimeLeft,
        settling_seconds: float,
    ) -> None:
        self._preparation = Preparation(reader=reader, attempts=attempts, workers=workers)
        self._queue = queue
        self._attempts = attempts
        self._settlement = settlement
        self._slow_endpoints = slow_endpoints
        self._http = http
        self._clock = clock
        self._rng = rng
        self._delays = delays
        self._fast_seconds = fast_seconds
        self._time_left = time_left
        self._settling_seconds = settling_seconds

    def dispatch(self, messages: Sequence[DeliveryMessage], lane: Lane) -> set[str]:
        """Deliver a batch that came by a lane; returns the ids of the messages that must come again."""
        suspects = sorted(
            (each for each in messages if each.receives >= SUSPECT_RECEIVES),
            key=lambda each: (each.receives, self._rng()),
        )
        done = [each for each in messages if each.receives < SUSPECT_RECEIVES]
        again = self._work(done, lane)
        for each in suspects:
            # Settled messages are deleted before: a suspect that ends the process then repeats none of them.
            self._delete([other for other in done if other.id not in again], lane)
            logger.warning("message.suspect", extra={"message_id": each.id, "receives": each.receives})
            again |= self._work([each], lane)
            done = [each]
        return again

    def _delete(self, messages: Sequence[DeliveryMessage], lane: Lane) -> None:
        if messages:
            self._queue.delete([each.receipt for each in messages], lane)

    def _work(self, messages: Sequence[DeliveryMessage], lane: Lane) -> set[str]:
        """Deliver messages; where our own code fails beside an attempt they come again, and poison ends."""
        try:
            return self._deliver(messages, lane)
        except Exception as error:
            logger.exception("messages.fault", extra={"messages": len(messages)})
            reasons = {each: poison_reason(error, each.receives) for each in messages}
            return {
                each.id
                for each, reason in reasons.items()
                if reason is None or not self._is_dead_lettered(each, reason)
            }

    def _deliver(self, messages: Sequence[DeliveryMessage], lane: Lane) -> set[str]:
        again: set[str] = set()
        opened = list(self._open(messages, again))
        if not opened:
            return again
        try:
            ready = self._preparation.prepare(opened, lane)
        except UnavailableError as error:
            logger.warning("batch.postponed", extra={"messages": len(opened), "reason": str(error)})
            return again | {each.message.id for each in opened}
        until = self._clock() + self._fast_seconds if lane is Lane.FAST else None
        stages = self._send_all(ready, until=until)
        again |= self._settlement.settle(stages)
        self._observe(stages)
        return again

    def _open(self, messages: Sequence[DeliveryMessage], again: set[str]) -> Iterable[Decoded]:
        for message in messages:
            try:
                yield Decoded(message, decode_pack(message.text))
            except MalformedPackError as error:
                logger.warning("message.malformed", extra={"message_id": message.id, "reason": str(error)})
                if not self._is_dead_lettered(message, str(error)):
                    again.add(message.id)

    def _is_dead_lettered(self, message: DeliveryMessage, reason: str) -> bool:
        """Bury a message as it came; tells whether the queue took it."""
        try:
            self._queue.send_text_to_dlq(message.text, reason)
        except UnavailableError as error:
            logger.warning(
                "message.not_dead_lettered", extra={"message_id": message.id, "reason": str(error)}
            )
            return False
        return True

    def _send_all(self, ready: Sequence[Ready], *, until: float | None) -> list[Stage]:
        """Sign everything, then send and decide it all at once; `until`: the end of the fast lane's time."""
        signed = [self._sign(stage) for stage in ready]
        return self._http.send_all([self._attempt(stage, until=until) for stage in signed])

    def _sign(self, stage: Ready) -> Signed | Stage:
        if not isinstance(stage, Prepared):
            return stage
        at = self._clock()
        try:
            return Signed(stage, self._attempts.sign(stage.webhook, stage.delivery, now=at), at)
        except UnavailableError as error:
            return postponed(stage, str(error))
        except Exception as error:  # noqa: BLE001 - the boundary of one delivery: it costs no other's
            return failed(stage, error)

    def _attempt(self, stage: Signed | Stage, *, until: float | None) -> Conversation[Stage]:
        """Send and decide; what has not begun when the fast lane's time is up is left to the slow one."""
        if not isinstance(stage, Signed):
            return stage
        prepared = stage.prepared
        if until is not None and self._clock() > until:
            return Deferred(prepared.message_id, prepared.pack, prepared.delivery)
        if self._time_left() < self._attempts.seconds(prepared.webhook) + self._settling_seconds:
            return postponed(prepared, OUT_OF_TIME)
        try:
            exchange = yield from self._attempts.send(
                prepared.webhook, stage.request, credential=prepared.credential
            )
            return self._decide(stage, exchange)
        except UnavailableError as error:
            return postponed(prepared, str(error))
        except Exception as error:  # noqa: BLE001 - the boundary of one delivery: it costs no other's
            return failed(prepared, error)

    def _decide(self, signed: Signed, exchange: HttpOutcome) -> Decided:
        prepared = signed.prepared
        attempt = _attempt_of(exchange, prepared.webhook, at=round(signed.at * 1000))
        verdict = decide(
            exchange,
            prepared.webhook.definition,
            attempt=len(prepared.delivery.attempts) + 1,
            delays=self._delays,
            now=self._clock(),
            jitter=self._rng(),
        )
        decided = Decided(
            message_id=prepared.message_id,
            pack=prepared.pack,
            delivery=prepared.delivery.tried(attempt),
            webhook=prepared.webhook,
            exchange=exchange,
            verdict=verdict,
        )
        _log_attempt(decided)
        return decided

    def _observe(self, stages: Iterable[Stage]) -> None:
        exchanges: dict[str, list[HttpOutcome]] = defaultdict(list)
        webhooks: dict[str, Webhook] = {}
        for stage in stages:
            if isinstance(stage, Decided):
                webhooks[stage.webhook.id] = stage.webhook
                exchanges[stage.webhook.id].append(stage.exchange)
        for webhook_id, webhook in webhooks.items():
            self._slow_endpoints.observe(webhook, exchanges[webhook_id])


def _attempt_of(exchange: HttpOutcome, webhook: Webhook, *, at: int) -> Attempt:
    if isinstance(exchange, HttpResponse):
        failed = exchange.status not in webhook.definition.success_codes
        return Attempt(
            at=at,
            latency_ms=exchange.latency_ms,
            status=exchange.status,
            address=exchange.address,
            excerpt=(exchange.excerpt or None) if failed else None,
            location=exchange.location if failed else None,
            times=exchange.times,
        )
    return Attempt(
        at=at,
        latency_ms=exchange.latency_ms,
        reason=f"{exchange.reason}: {exchange.detail}",
        address=exchange.address,
        times=exchange.times,
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
            "times_ms": attempt.times and attempt.times._asdict(),
            "verdict": type(decided.verdict).__name__.lower(),
        },
    )
