"""A delivery log in memory whose backlog's pages cost what they show, for many deliveries."""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Sequence

from tests.fakes.delivery_log import FakeDeliveryLog
from webhooks.domain.delivery_log import LogEntry, LogKey, LogPage, Mark, Outcome


class BacklogLog(FakeDeliveryLog):
    """Keeps each webhook's backlog in order; what has left it is skipped, and dropped now and then."""

    def __init__(self) -> None:
        super().__init__()
        self._backlogs: dict[str, list[str]] = defaultdict(list)  # ids in order, some of which have left
        self._waiting: dict[str, set[str]] = defaultdict(set)

    def record(self, entries: Sequence[LogEntry]) -> Sequence[LogEntry]:
        """Write entries, and the backlogs that they change."""
        unwritten = super().record(entries)
        left_out = {entry.key for entry in unwritten}
        for entry in entries:
            if entry.key not in left_out:
                self._place(entry)
        return unwritten

    def backlog(self, webhook_id: str, *, after: LogKey | None, size: int) -> LogPage:
        """Return a page, the oldest first."""
        ids, waiting = self._backlogs[webhook_id], self._waiting[webhook_id]
        found: list[LogEntry] = []
        for position in range(bisect_right(ids, after.delivery_id) if after else 0, len(ids)):
            if ids[position] not in waiting:
                continue
            if len(found) == size:
                return LogPage(tuple(found), found[-1].key)
            key = self._entries[ids[position]].key
            found.append(self.find([key])[key])
        return LogPage(tuple(found), None)

    def _place(self, entry: LogEntry) -> None:
        webhook_id, delivery_id = entry.key.webhook_id, entry.key.delivery_id
        waiting, ids = self._waiting[webhook_id], self._backlogs[webhook_id]
        is_recoverable = entry.outcome is Outcome.DEAD and entry.is_recoverable
        if entry.mark is Mark.TEST or not (entry.outcome is Outcome.HELD or is_recoverable):
            waiting.discard(delivery_id)
            if len(ids) > 1000 and len(ids) > 4 * len(waiting):
                self._backlogs[webhook_id] = [each for each in ids if each in waiting]
        elif delivery_id not in waiting:
            waiting.add(delivery_id)
            position = bisect_right(ids, delivery_id)
            if not position or ids[position - 1] != delivery_id:
                insort(ids, delivery_id)
