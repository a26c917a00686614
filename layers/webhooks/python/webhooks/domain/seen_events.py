"""The windows in which fan-out remembers events that it sent in packs, by hashes of their identities.

A window is a bounded set. An event has a series of windows by its own time, from a second down to 2 ms, and
then more of the last one. Its hash is in the first one that was not full when it was marked. A full window
stays full, so a reader that looks through the same series, up to the first window that is not full, finds it.

An event that is alone in its packs is not marked: it has a key in the log, by which a later pack finds it.
"""

from hashlib import sha256
from typing import Final, NamedTuple

from webhooks.domain.delivery import Delivery, Pack
from webhooks.domain.log_sharing import is_exact
from webhooks.domain.scope import Scope

HASH_BYTES: Final = 8
FULL: Final = 90  # hashes: with ten more, those of a batch, an item is one write unit
WIDTHS: Final = (1000, 125, 16, 2)  # ms
# Windows of the last width: producers whose times are whole seconds publish many events of one time. They are
# filled one after the other, as a batch then writes to one of them; the reads that this takes are cheaper.
LAST_WINDOWS: Final = 8
# ms from the event's acceptance, which the batching windows of both queues take up to 10 s of. An event alone
# and its repeat in a pack do not know of each other: the repeat, accepted later, can only be dispatched first
# where the one alone is late.
LATE: Final = 15_000
LEVELS: Final = len(WIDTHS) - 1 + LAST_WINDOWS
_WIDTHS: Final = (*WIDTHS[:-1], *[WIDTHS[-1]] * LAST_WINDOWS)  # by level


class EventKey(NamedTuple):
    """What identifies an event: its hash, and its time in epoch ms. A tuple is hashed fast."""

    hash: bytes
    time: int

    @property
    def is_markable(self) -> bool:
        """Tell whether it has windows: any number of events have no time, or one that is rounded."""
        return is_exact(self.time)

    def window(self, level: int) -> str:
        """Return the name of its window at a level from 0 to LEVELS - 1."""
        return f"{level}#{self.time // _WIDTHS[level]:x}"


def may_be_kept_together(pack: Pack, delivery: Delivery, *, now: int) -> bool:
    """Tell whether a delivery that was not tried may be one that the log keeps without a key of its own.

    `now` in epoch ms. For one whose message is received for the first time, by the fast lane.
    """
    is_late = pack.sent_at is not None and now - pack.sent_at > LATE
    return pack.again or (is_late and not delivery.is_marked)


def event_key(scope: Scope, event_id: str, *, log_time: int) -> EventKey:
    """Return an event's key, the same for every repeat of it by its producer. `log_time` in epoch ms."""
    text = f"{scope.tenant_id}\n{scope.community_id}\n{log_time}\n{event_id}"
    return EventKey(sha256(text.encode("utf-8", "surrogatepass")).digest()[:HASH_BYTES], log_time)
