"""Replays in memory."""

from collections.abc import Sequence
from dataclasses import replace
from threading import RLock

from tests.fakes.faults import Fault, effect, no_fault
from webhooks.domain.delivery import ReleaseKind
from webhooks.domain.errors import StaleError, TooManyReplaysError
from webhooks.domain.replay import PagePlan, Replay
from webhooks.domain.scope import Scope


class FakeReplays:
    """Replays by their scopes and ids."""

    def __init__(self, *, fault: Fault = no_fault) -> None:
        self._fault = fault
        self._lock = RLock()
        self._replays: dict[tuple[Scope, str], Replay] = {}
        self._requests: dict[tuple[Scope, str], str] = {}
        self._claims: dict[tuple[Scope, str], tuple[str, int]] = {}

    def add(self, replay: Replay, *, key: str | None = None, limit: int | None = None) -> Replay:
        """Store a new replay and return it, or return the one that is stored under the key already."""
        with self._lock, effect(self._fault, "replays.add"):
            if key is not None and (known := self.find(replay.scope, key)):
                return known
            if known := self.get(replay.scope, replay.id):
                return known
            is_bounded = replay.kind is ReleaseKind.REPLAY and limit is not None
            if is_bounded and self._running(replay.scope) >= (limit or 0):
                raise TooManyReplaysError(limit or 0)
            self._replays[replay.scope, replay.id] = replay
            if key is not None:
                self._requests[replay.scope, key] = replay.id
            return replay

    def find(self, scope: Scope, key: str) -> Replay | None:
        """Return the replay that is stored under a request's key."""
        with self._lock:
            replay_id = self._requests.get((scope, key))
            return self.get(scope, replay_id) if replay_id else None

    def get(self, scope: Scope, replay_id: str) -> Replay | None:
        """Return a replay as it is now."""
        with self._lock:
            return self._replays.get((scope, replay_id))

    def running(self, scope: Scope) -> Sequence[Replay]:
        """Return the replays that a community has running."""
        with self._lock:
            found = [replay for (owner, _), replay in self._replays.items() if owner == scope]
            return [each for each in found if each.is_running and each.kind is ReleaseKind.REPLAY]

    def newest(self, scope: Scope, *, after: str | None, size: int) -> Sequence[Replay]:
        """Return replays of a community, the newest first."""
        with self._lock:
            ids = sorted((each for owner, each in self._replays if owner == scope), reverse=True)
            return [self._replays[scope, each] for each in ids if after is None or each < after][:size]

    def claim(self, replay: Replay, plan: PagePlan, *, holder: str, until: int, now: int) -> None:
        """Let a message alone work on the replay's present page."""
        place = replay.scope, replay.id
        with self._lock, effect(self._fault, "replays.claim"):
            stored = self._stored(replay)
            claimed_by, claimed_until = self._claims.get(place, (holder, 0))
            if claimed_until > now and claimed_by != holder:
                raise StaleError
            self._claims[place] = holder, until
            self._replays[place] = replace(stored, plan=plan, holder=holder)

    def change(self, before: Replay, after: Replay) -> None:
        """Write a replay's progress."""
        place = before.scope, before.id
        with self._lock, effect(self._fault, "replays.change"):
            stored = self._stored(before)
            plan = stored.plan
            if after.page != before.page:
                plan = None
                self._claims.pop(place, None)
            self._replays[place] = replace(after, plan=plan, holder=stored.holder)

    def _stored(self, known: Replay) -> Replay:
        stored = self._replays.get((known.scope, known.id))
        if stored is None or (stored.page, stored.state) != (known.page, known.state):
            raise StaleError
        return stored

    def _running(self, scope: Scope) -> int:
        return len(self.running(scope))
