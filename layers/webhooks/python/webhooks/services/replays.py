"""Replays, as a tenant asks for them: counted first, then begun, looked at and cancelled.

A request's exact repeat finds the replay that it made. Requests are authorized before they come here.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from webhooks.domain.delivery import ReleaseKind
from webhooks.domain.delivery_log import LogCount, LogEntry, LogQuery, Outcome, log_key_of
from webhooks.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    StaleError,
    TooManyReplaysError,
    TooManyRequestsError,
    UnavailableError,
)
from webhooks.domain.replay import (
    MAX_DELIVERIES,
    MAX_RUNNING,
    Replay,
    ReplayPage,
    ReplayState,
    make_replay_id,
)
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import WEBHOOK_ID, Webhook
from webhooks.ports import (
    Clock,
    DeliveryLogReader,
    RandomBytes,
    RateLimiter,
    RecoveryQueue,
    Replays,
    Subscriptions,
)
from webhooks.services.idempotency import CommunityRequest
from webhooks.services.recovery.stops import reason_to_wait

NO_REPLAY = "replayId: no such replay"
NO_WEBHOOK = "webhookId: no such webhook"
NAMED = 10  # ids that an error names at most
RACES = 10  # of a cancellation with the replay's pages
COUNT_SECONDS = 2  # between counts of one community's log, each of which may read it for seconds
COUNTS_AT_ONCE = 10  # before that: a dialog counts while its fields are filled in
MAX_AUTHOR = 256  # characters
STALE_MS = 600_000  # without progress: the task of a replay is taken for lost

TOO_MANY = (
    f"since: the filter finds more deliveries than can be counted in time, or than {MAX_DELIVERIES}; narrow "
    "since and until"
)
RECOVERED_ALONE = "a recovery is the service's own; pause the webhook to stop it"
WAITING = {
    "its webhook is disabled": "is disabled; enable it first",
    "its webhook is paused": "is paused; resume it first",
}
DOWN = "has an endpoint that is down; its deliveries are held, and sent when it responds again"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The deliveries of a replay: by their ids, or by a query of one webhook; `rate`: per second."""

    deliveries: tuple[str, ...]
    query: LogQuery | None
    rate: int


class TenantReplays:
    """The use cases of replays."""

    def __init__(
        self,
        *,
        replays: Replays,
        log: DeliveryLogReader,
        subscriptions: Subscriptions,
        queue: RecoveryQueue,
        limiter: RateLimiter,
        clock: Clock,
        random_bytes: RandomBytes,
    ) -> None:
        self._replays = replays
        self._log = log
        self._subscriptions = subscriptions
        self._queue = queue
        self._limiter = limiter
        self._clock = clock
        self._random_bytes = random_bytes

    def count(self, scope: Scope, wanted: Wanted) -> LogCount:
        """Count the deliveries of a replay.

        Raises NotFoundError, ConflictError, InvalidInputError, TooManyRequestsError.
        """
        return self._counted(scope, wanted)[0]

    def begin(self, request: CommunityRequest, wanted: Wanted) -> Replay | LogCount:
        """Begin a replay; or return the count where there is nothing to send.

        Raises NotFoundError, InvalidInputError, TooManyRequestsError, and ConflictError where a webhook gets
        nothing now, or too many replays are running.
        """
        key = request.idempotency_key
        replay = self._replays.find(request.scope, key)
        if replay is None:
            now = self._clock()  # before they are counted: what is settled later is none of it
            counted, webhooks = self._counted(request.scope, wanted)
            if counted.deliveries == counted.without_payload:
                return counted
            _refuse_waiting(webhooks)
            replay = Replay(
                id=make_replay_id(now=now, random=self._random_bytes(6)),
                scope=request.scope,
                kind=ReleaseKind.REPLAY,
                rate=wanted.rate,
                created_at=round(now * 1000),
                created_by=request.caller.app_id[:MAX_AUTHOR],
                query=wanted.query,
                deliveries=wanted.deliveries,
                total=counted.deliveries,
                updated_at=round(now * 1000),
            )
            replay = self._add(replay, key)
        if replay.is_running and replay.page == 0:  # the first page may be asked for twice: it is done once
            self._queue.send(ReplayPage(replay.scope, replay.id, 0), delay=0)
        return replay

    def get(self, scope: Scope, replay_id: str) -> Replay:
        """Return a replay; one that made no progress for long is set going again. Raises NotFoundError."""
        replay = self._stored(scope, replay_id)
        self._go_on(replay)
        return replay

    def _go_on(self, replay: Replay) -> None:
        """Ask for a replay's page again where its task seems lost: it is done once all the same."""
        is_late = round(self._clock() * 1000) - replay.updated_at > STALE_MS
        if replay.kind is ReleaseKind.REPLAY and replay.is_running and is_late:
            with suppress(UnavailableError):  # the next look asks for it
                self._queue.send(ReplayPage(replay.scope, replay.id, replay.page), delay=0)

    def _add(self, replay: Replay, key: str) -> Replay:
        """Store a new replay; where too many run, free the places of those that do not, and try once more."""
        try:
            return self._replays.add(replay, key=key, limit=MAX_RUNNING)
        except TooManyReplaysError:
            for each in self._replays.running(replay.scope):
                self._go_on(each)
            return self._replays.add(replay, key=key, limit=MAX_RUNNING)

    def _stored(self, scope: Scope, replay_id: str) -> Replay:
        replay = self._replays.get(scope, replay_id) if WEBHOOK_ID.fullmatch(replay_id) else None
        if replay is None:
            raise NotFoundError(NO_REPLAY)
        return replay

    def page(self, scope: Scope, *, after: str | None, size: int) -> tuple[Sequence[Replay], str | None]:
        """Return replays, the newest first, and the id after which the next page begins, None at the end."""
        found = self._replays.newest(scope, after=after, size=size + 1)
        return found[:size], found[size - 1].id if len(found) > size else None

    def cancel(self, scope: Scope, replay_id: str) -> Replay:
        """Cancel a replay that is running; return it. Raises NotFoundError, ConflictError."""
        for _ in range(RACES):
            replay = self._stored(scope, replay_id)
            if replay.kind is not ReleaseKind.REPLAY:
                raise ConflictError(RECOVERED_ALONE)
            if not replay.is_running:
                return replay
            after = replay.ended(ReplayState.CANCELLED, now=round(self._clock() * 1000))
            try:
                self._replays.change(replay, after)
            except StaleError:  # a page was sent meanwhile
                continue
            return after
        raise ConflictError("the replay goes on too fast to be cancelled; send the request again")

    def _counted(self, scope: Scope, wanted: Wanted) -> tuple[LogCount, Iterable[Webhook | None]]:
        """Count the deliveries; return their webhooks too, None for one that does not exist."""
        if wanted.query is not None:
            webhook_id = wanted.query.webhook_id or ""
            webhook = self._subscriptions.get(scope, webhook_id) if WEBHOOK_ID.fullmatch(webhook_id) else None
            if webhook is None:
                raise NotFoundError(NO_WEBHOOK)
            self._take_turn(scope)
            counted = self._log.count(wanted.query, at_most=MAX_DELIVERIES)
            if not counted.is_exact:
                raise InvalidInputError([TOO_MANY])
            return counted, [webhook]
        entries = self._found(scope, wanted.deliveries)
        ids = dict.fromkeys(entry.key.webhook_id for entry in entries)
        counted = LogCount(len(entries), sum(not entry.has_payload for entry in entries), is_exact=True)
        return counted, [self._subscriptions.get(scope, each) for each in ids]

    def _take_turn(self, scope: Scope) -> None:
        """Raise TooManyRequestsError where the community's log was counted too often."""
        name, now = f"C-{scope.tenant_id}#{scope.community_id}", round(self._clock() * 1000)
        if not self._limiter.take(name, rate=1 / COUNT_SECONDS, burst=COUNTS_AT_ONCE, now=now):
            raise TooManyRequestsError(
                f"a community's deliveries are counted once in {COUNT_SECONDS} seconds; send this one again "
                "later",
                seconds=COUNT_SECONDS,
            )

    def _found(self, scope: Scope, deliveries: Sequence[str]) -> Sequence[LogEntry]:
        """Return the listed deliveries. Raises NotFoundError, ConflictError, each naming some of them."""
        keys = {each: log_key_of(each) for each in deliveries}
        entries = self._log.find([key for key in keys.values() if key])
        found = {each: entry for each, key in keys.items() if key and (entry := entries.get(key))}
        own: Mapping[str, LogEntry] = {each: entry for each, entry in found.items() if entry.scope == scope}
        if missing := [each for each in deliveries if each not in own]:
            raise NotFoundError(f"deliveryIds: no such deliveries: {_named(missing)}")
        if retried := [each for each in deliveries if own[each].outcome is Outcome.RETRYING]:
            raise ConflictError(f"deliveryIds: these are sent again by themselves: {_named(retried)}")
        return list(own.values())


def _refuse_waiting(webhooks: Iterable[Webhook | None]) -> None:
    """Raise ConflictError where nothing is sent to one of the webhooks now."""
    for webhook in webhooks:
        if webhook is None:
            raise ConflictError("deliveryIds: the webhook of some of them was deleted")
        if reason := reason_to_wait(webhook):
            raise ConflictError(f"the webhook {webhook.id} {WAITING.get(reason, DOWN)}")


def _named(ids: Sequence[str]) -> str:
    shown = ", ".join(each[:80] for each in ids[:NAMED])
    return f"{shown} and {len(ids) - NAMED} more" if len(ids) > NAMED else shown
