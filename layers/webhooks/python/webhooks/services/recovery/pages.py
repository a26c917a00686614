"""A page of a replay or a recovery: claim, send, move on, ask for the next one.

A crash anywhere doubles and loses nothing. The claim stores which deliveries the page has, before any is
sent: a repeat of the page sends those that were not attempted since, with the number of attempts that they
had, so that the log recognises one that waits in the slow lane already. The next page is asked for after the
move; the message that made the move asks again when it is repeated.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace

from webhooks.domain.delivery import Release, ReleaseKind
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.errors import CorruptError, StaleError, UnavailableError
from webhooks.domain.replay import IDLE_PASSES, PagePlan, Replay, ReplayPage, ReplayState, WebhookCheck
from webhooks.domain.webhook import Webhook
from webhooks.ports import Clock, DeliveryLog, HealthStore, RecoveryQueue, Replays, SlowLane, Subscriptions
from webhooks.services.recovery.packing import end_of, spread
from webhooks.services.recovery.reading import PageReader, SelectedPage
from webhooks.services.recovery.stops import failed_again, reason_to_stop, reason_to_wait

CLAIM_MS = 60_000  # longer than the function's time, shorter than the queue hides a message
PASS_MS = 60_000  # between a recovery's passes: a batch that saw the endpoint down has ended by then
LONGEST_PASS_MS = 900_000
RACES = 5
SENDS = 2  # of packs that the queue did not take at once
NO_PAYLOAD = "its payload is not kept"

logger = logging.getLogger(__name__)


class ReplayPages:
    """Works on pages. `probe_seconds`: until a recovery that failed is looked at again."""

    def __init__(
        self,
        *,
        replays: Replays,
        reader: PageReader,
        log: DeliveryLog,
        lane: SlowLane,
        queue: RecoveryQueue,
        subscriptions: Subscriptions,
        health: HealthStore,
        clock: Clock,
        probe_seconds: int,
    ) -> None:
        self._replays = replays
        self._reader = reader
        self._log = log
        self._lane = lane
        self._queue = queue
        self._subscriptions = subscriptions
        self._health = health
        self._clock = clock
        self._probe_seconds = probe_seconds

    def work(self, task: ReplayPage, holder: str) -> bool:
        """Work on a page; `holder`: the message's id. Tells whether the message is done.

        Raises UnavailableError.
        """
        replay = self._replays.get(task.scope, task.replay_id)
        if replay is None:
            logger.warning("replay.absent", extra={"replay_id": task.replay_id})
            return True
        if replay.page != task.page:
            # Another message did this page, or this one did, and its process ended before the next was sent.
            if replay.page == task.page + 1 and replay.holder == holder:
                self._ask_for_next(replay)
            return replay.page > task.page
        if not replay.is_running and not _has_begun_page(replay):
            return True
        webhooks = self._webhooks(replay)
        if reason := reason_to_stop(replay, webhooks):
            self._stop(replay, reason, webhooks=webhooks)
            return True
        try:
            moved = self._send_page(replay, webhooks, holder=holder)
        except StaleError:  # another message has this page
            return False
        if moved is not None:
            self._ask_for_next(moved)
        return True

    def _webhooks(self, replay: Replay) -> Mapping[str, Webhook]:
        """Return the replay's webhooks that exist, by their ids. Raises CorruptError."""
        ids = dict.fromkeys(each.partition("-")[0] for each in replay.deliveries)
        if replay.query is not None and replay.query.webhook_id is not None:
            ids[replay.query.webhook_id] = None
        found = self._subscriptions.get_many([(replay.scope, each) for each in ids])
        webhooks = {}
        for webhook in found.values():
            if isinstance(webhook, CorruptError):
                raise webhook
            webhooks[webhook.id] = webhook
        return webhooks

    def _send_page(self, replay: Replay, webhooks: Mapping[str, Webhook], *, holder: str) -> Replay | None:
        """Send the page and move past it; None where another message has moved past it.

        Raises StaleError where another message works on it.
        """
        rate = min([replay.rate, *(each.definition.rate_limit or replay.rate for each in webhooks.values())])
        ready = {each.id for each in webhooks.values() if reason_to_wait(each) is None}
        page = self._reader.read(replay, webhooks=ready, rate=rate)
        now = self._now()
        self._replays.claim(replay, page.plan, holder=holder, until=now + CLAIM_MS, now=now)
        start = max(now, replay.next_at)
        self._send(replay, page, rate=rate, start=start, now=now)
        next_at = end_of(len(page.chosen), rate=rate, start=start)
        if replay.kind is ReleaseKind.RECOVERY:
            self._forget_unsendable(page)
            replay = self._past_pass(replay, page.plan, webhooks)
            if page.plan.last is None:
                next_at = max(next_at, now + _until_next_pass(replay, page.plan, now))
        moved = self._move(replay, page.plan, holder=holder, next_at=next_at)
        logger.info(
            "replay.page_sent",
            extra={
                "replay_id": replay.id,
                "kind": replay.kind.value,
                "page": replay.page,
                "deliveries": len(page.chosen),
                "without_payload": len(page.unsendable),
            },
        )
        return moved

    def _send(self, replay: Replay, page: SelectedPage, *, rate: int, start: int, now: int) -> None:
        """Send packs to the slow lane. Raises UnavailableError where it does not take them all."""
        packs = spread(page.chosen, Release(replay.kind, replay.id), rate=rate, start=start, now=now)
        delays = {pack.deliveries[0].id: delay for pack, delay in packs}
        left = packs
        for _ in range(SENDS):
            refused = self._lane.send_slow(left) if left else ()
            left = [(pack, delays[pack.deliveries[0].id]) for pack in refused]
        if left:
            raise UnavailableError(f"sqs: the slow lane did not take {len(left)} of {len(packs)} packs")

    def _forget_unsendable(self, page: SelectedPage) -> None:
        """Take deliveries that can never be sent out of the backlog, which would never be empty else."""
        dead = [
            replace(
                entry,
                outcome=Outcome.DEAD,
                is_recoverable=False,
                has_payload=False,
                reason=NO_PAYLOAD,
                settled_at=self._now(),
            )
            for entry in page.unsendable
        ]
        if dead and self._log.record(dead):
            raise UnavailableError("dynamodb: the delivery log did not take an entry")

    def _past_pass(self, replay: Replay, plan: PagePlan, webhooks: Mapping[str, Webhook]) -> Replay:
        """Declare the backlog empty where the last pass found so; return the replay that is moved on.

        Where the webhook's health changed meanwhile, the pass does not count.
        """
        is_last = plan.is_empty and replay.after is None and replay.idle + 1 >= IDLE_PASSES
        [webhook] = webhooks.values()
        if not is_last or webhook.health.backlog_since is None:
            return replay
        empty = replace(webhook.health, backlog_since=None, recovery=None, recovery_at=None)
        try:
            self._health.save(webhook, empty)
        except StaleError:
            return replace(replay, idle=0)
        return replay

    def _move(self, replay: Replay, plan: PagePlan, *, holder: str, next_at: int) -> Replay | None:
        """Move past the page; return the replay, None where another message did it."""
        before = replay
        for _ in range(RACES):
            after = before.moved(plan, now=self._now(), next_at=next_at)
            try:
                self._replays.change(before, after)
            except StaleError:
                stored = self._replays.get(replay.scope, replay.id)
                if stored is None or stored.page != replay.page:
                    is_own = stored is not None and stored.holder == holder and stored.page == after.page
                    return stored if is_own else None  # the response to our own change may be lost
                before = stored  # cancelled meanwhile: it still counts what was sent
            else:
                if not after.is_running:
                    _log_end(after)
                return after
        raise UnavailableError("dynamodb: the replay changes all the time")

    def _ask_for_next(self, replay: Replay) -> None:
        if replay.is_running:
            delay = max(0, replay.next_at - self._now()) // 1000
            self._queue.send(ReplayPage(replay.scope, replay.id, replay.page), delay=delay)

    def _stop(self, replay: Replay, reason: str, *, webhooks: Mapping[str, Webhook]) -> None:
        if replay.kind is ReleaseKind.RECOVERY and failed_again(webhooks):
            [webhook_id] = webhooks
            self._queue.send(WebhookCheck(replay.scope, webhook_id), delay=self._probe_seconds)
        if replay.is_running:
            after = replay.ended(ReplayState.STOPPED, now=self._now(), reason=reason)
            try:
                self._replays.change(replay, after)
            except StaleError:  # cancelled, or moved by another message, which stops it then
                return
            _log_end(after)

    def _now(self) -> int:
        return round(self._clock() * 1000)


def _until_next_pass(replay: Replay, plan: PagePlan, now: int) -> int:
    """Return the time (ms) until a recovery's next pass, longer and longer while passes find deliveries.

    Those that a pass sent may still wait in the slow lane, and each further pass sends them again.
    """
    if plan.is_empty and replay.after is None:
        return PASS_MS
    return min(LONGEST_PASS_MS, max(PASS_MS, now - replay.created_at))


def _has_begun_page(replay: Replay) -> bool:
    """Tell whether a page was begun before its replay was cancelled: it is sent to its end, and counted."""
    return replay.state is ReplayState.CANCELLED and replay.plan is not None


def _log_end(replay: Replay) -> None:
    logger.info(
        "replay.ended",
        extra={
            "replay_id": replay.id,
            "kind": replay.kind.value,
            "state": replay.state.value,
            "reason": replay.reason,
            "sent": replay.sent,
            "without_payload": replay.without_payload,
            "passed_over": replay.passed_over,
        },
    )
