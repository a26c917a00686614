"""The first read of a batch or of an event: communities' versions, and along with them the events' marks."""

from collections.abc import Collection, Iterable, Sequence

from webhooks.domain.scope import Scope
from webhooks.domain.seen_events import EventKey
from webhooks.ports import FanoutReader, Versions
from webhooks.services.fanout.listeners import Listeners
from webhooks.services.fanout.marks import EventMarks, Windows


class Beginning:
    """Refreshes listeners, and returns the windows of marks that were read in the same call.

    These are the first ones that `EventMarks.recall` looks at; it reads those that are missing.
    """

    def __init__(self, reader: FanoutReader, listeners: Listeners, marks: EventMarks) -> None:
        self._reader = reader
        self._listeners = listeners
        self._marks = marks

    def batch(self, scopes: Collection[Scope], keys: Iterable[EventKey]) -> tuple[Collection[Scope], Windows]:
        """Refresh the communities of a batch; return those that changed, too. Raises UnavailableError."""
        reading = _Reading(self._reader, self._marks.first_windows(keys))
        changed = self._listeners.begin_batch(scopes, reading.versions)
        return changed, reading.windows

    def event(self, scope: Scope, keys: Iterable[EventKey]) -> Windows:
        """Refresh the community of an event alone, unless its batch did. Raises UnavailableError."""
        reading = _Reading(self._reader, self._marks.first_windows(keys))
        self._listeners.refresh(scope, reading.versions)
        return reading.windows


class _Reading:
    """A read of versions that takes windows along."""

    def __init__(self, reader: FanoutReader, wanted: Collection[str]) -> None:
        self._reader = reader
        self._wanted = sorted(wanted)
        self.windows: Windows = {}

    def versions(self, scopes: Sequence[Scope]) -> Versions:
        context = self._reader.read(scopes, self._wanted)
        self.windows = context.windows
        return context.versions
