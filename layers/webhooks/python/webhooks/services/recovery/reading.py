"""Reads the deliveries of a replay's page, with their payloads."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import batched

from webhooks.domain.delivery import ReleaseKind
from webhooks.domain.delivery_log import LogEntry, LogKey, LogPage, Outcome, log_key_of
from webhooks.domain.replay import PagePlan, Replay
from webhooks.ports import DeliveryLogReader

MAX_PAGE = 100  # deliveries
MIN_PAGE = 10
PAGE_SECONDS = 10  # of a replay's rate are a page: so late does a cancellation take effect
MAX_BYTES = 4 * 1024 * 1024  # of payloads of a page, and one group of them more
GROUP = 25  # payloads that are read at once


@dataclass(frozen=True, slots=True)
class SelectedPage:
    """A page's plan, its deliveries to send, which have bodies, and those that cannot be sent."""

    plan: PagePlan
    chosen: Sequence[LogEntry]
    unsendable: Sequence[LogEntry]


class PageReader:
    """Reads pages. A page that has a plan is read anew within it."""

    def __init__(self, log: DeliveryLogReader) -> None:
        self._log = log

    def read(self, replay: Replay, *, webhooks: Collection[str], rate: int) -> SelectedPage:
        """Return the present page, at `rate` per second, of those `webhooks` that get deliveries now, by id.

        A delivery that was settled after the replay began is none of its page: this replay sent it, or
        something else did. That is how a repeat of a page knows those that are attempted already.
        """
        if replay.plan is not None:
            entries: Sequence[LogEntry] = self._planned(replay, replay.plan)
            last = replay.plan.last
        else:
            page = self._page(replay, _after(replay), size=_page_size(rate))
            entries = page.entries
            last = page.last.delivery_id if page.last else None
        wanted = [each for each in entries if each.key.webhook_id in webhooks and _is_wanted(each, replay)]
        if replay.plan is not None:
            chosen, unsendable, _ = self._with_bodies(wanted, max_bytes=math.inf)
            return SelectedPage(replay.plan, chosen, unsendable)
        chosen, unsendable, taken = self._with_bodies(wanted, max_bytes=MAX_BYTES)
        if taken < len(wanted):
            last = wanted[taken - 1].key.delivery_id
        return SelectedPage(PagePlan(last, len(chosen), len(unsendable)), chosen, unsendable)

    def _planned(self, replay: Replay, plan: PagePlan) -> list[LogEntry]:
        """Return the deliveries of a page with a plan, as far as its reader finds them still."""
        found: list[LogEntry] = []
        after = _after(replay)
        while True:
            page = self._page(replay, after, size=MAX_PAGE)
            found += page.entries
            if page.last is None or _is_past(page.last.delivery_id, plan.last, replay):
                return [entry for entry in found if not _is_past(entry.key.delivery_id, plan.last, replay)]
            after = page.last

    def _page(self, replay: Replay, after: LogKey | None, *, size: int) -> LogPage:
        query = replay.query
        if query is None:
            return self._listed(replay, after, size=size)
        if replay.kind is ReleaseKind.RECOVERY:
            return self._log.backlog(query.webhook_id or "", after=after, size=size)
        return self._log.oldest(query, after=after, size=size)

    def _listed(self, replay: Replay, after: LogKey | None, *, size: int) -> LogPage:
        """Return a page of a replay's own list, in its order."""
        first = replay.deliveries.index(after.delivery_id) + 1 if after else 0
        keys = [found for each in replay.deliveries[first : first + size] if (found := log_key_of(each))]
        entries = self._log.find(keys)
        is_end = first + size >= len(replay.deliveries)
        return LogPage(tuple(entries[each] for each in keys if each in entries), None if is_end else keys[-1])

    def _with_bodies(
        self, entries: Sequence[LogEntry], *, max_bytes: float
    ) -> tuple[list[LogEntry], list[LogEntry], int]:
        """Return the first entries, with their bodies, until these are many; those without a payload.

        And how many entries these were.
        """
        chosen: list[LogEntry] = []
        without: list[LogEntry] = []
        size = taken = 0
        for group in batched(entries, GROUP, strict=False):
            bodies = self._log.payloads([entry.key for entry in group if entry.has_payload])
            taken += len(group)
            for entry in group:
                if (body := bodies.get(entry.key)) is None:
                    without.append(entry)
                else:
                    chosen.append(replace(entry, delivery=replace(entry.delivery, body=body)))
                    size += len(body)
            if size >= max_bytes:
                break
        return chosen, self._unchanged(without), taken

    def _unchanged(self, entries: Sequence[LogEntry]) -> list[LogEntry]:
        """Return those that are as they were read: a delivery that succeeds meanwhile loses its payload."""
        now = self._log.find([entry.key for entry in entries]) if entries else {}
        return [
            entry
            for entry in entries
            if (read := now.get(entry.key)) is not None
            and (read.outcome, read.delivery.tries) == (entry.outcome, entry.delivery.tries)
        ]


def _after(replay: Replay) -> LogKey | None:
    return log_key_of(replay.after) if replay.after else None


def _page_size(rate: int) -> int:
    return max(MIN_PAGE, min(MAX_PAGE, rate * PAGE_SECONDS))


def _is_wanted(entry: LogEntry, replay: Replay) -> bool:
    if replay.kind is ReleaseKind.RECOVERY:  # a backlog grows meanwhile, and loses what is settled
        return True
    is_as_it_was = entry.settled_at <= replay.created_at
    return is_as_it_was and entry.scope == replay.scope and entry.outcome is not Outcome.RETRYING


def _is_past(delivery_id: str, last: str | None, replay: Replay) -> bool:
    """Tell whether a delivery comes after the last one of a page."""
    if last is None:
        return False
    if replay.deliveries:
        return replay.deliveries.index(delivery_id) > replay.deliveries.index(last)
    return delivery_id > last  # of one webhook: by time and hash, as the log has them
