"""The dispatcher and its log as fan-out may rely on them: a marked delivery has no key of its own in the log."""

from collections import Counter
from collections.abc import Iterable

from webhooks.domain.delivery import Pack
from webhooks.domain.seen_events import may_be_kept_together


class PackedLog:
    """Sends what it does not know. `sent`: callbacks by event and webhook."""

    def __init__(self) -> None:
        self.sent: Counter[tuple[str, str]] = Counter()
        self._own: set[str] = set()
        self._together: set[str] = set()

    def dispatch(self, packs: Iterable[Pack], *, now: int = 0) -> None:
        """Send the deliveries of packs that are new; `now` in epoch ms."""
        for pack in packs:
            for each in pack.deliveries:
                looks = may_be_kept_together(pack, each, now=now)
                if each.id in self._own or (looks and each.id in self._together):
                    continue
                self.sent[each.event_id, pack.webhook_id] += 1
                (self._together if each.is_marked else self._own).add(each.id)

    @property
    def is_packed(self) -> bool:
        """Tell whether it keeps any deliveries together."""
        return bool(self._together)
