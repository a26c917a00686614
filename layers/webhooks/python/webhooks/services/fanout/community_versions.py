"""Communities' versions, as new as the last read: most batches read the epoch alone, one item for all.

A change is committed, then counted in the epoch, then answered. A version that was read after an epoch is
therefore the present one while the epoch is the same. One read at the same time as the epoch may be older
than it: it counts for the epoch that was known before. Where a process ends between change and count, the
change is seen once the version's time is over.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from webhooks.domain.scope import Scope
from webhooks.ports import Clock, Versions

VALID_SECONDS = 60
RECENT = 8  # batches by which the share of new epochs is smoothed
OFTEN = 0.5  # of them: from this share on all versions are read along, in place of in a second call

# Reads the present versions of communities, with the epoch.
type ReadVersions = Callable[[Sequence[Scope]], Versions]


@dataclass(frozen=True, slots=True)
class Version:
    """A community's version, read at `read_at` and not before `epoch`."""

    number: int
    epoch: int | None
    read_at: float


class ReadsVersions(Protocol):
    """The part of the index that has the versions."""

    def versions(self, scopes: Sequence[Scope], /) -> Versions:
        """Return the epoch, and the present versions."""


class CommunityVersions:
    """Reads versions. `known` finds the one that is known of a community."""

    def __init__(
        self, index: ReadsVersions, *, known: Callable[[Scope], Version | None], clock: Clock
    ) -> None:
        self._index = index
        self._known = known
        self._clock = clock
        self._epoch: int | None = None
        self._share = 0.0  # of new epochs among the last reads

    def changed(self, scopes: Sequence[Scope], read: ReadVersions | None = None) -> dict[Scope, Version]:
        """Return the versions that had to be read; those known of the others are current.

        One call, by `read` where it is given, and a second one after a change of any community. Raises
        UnavailableError.
        """
        is_along = self._share >= OFTEN
        wanted = [scope for scope in scopes if is_along or not self._is_current(scope)]
        before = self._epoch
        found = self.read(wanted, read)
        if before is not None:
            self._share += ((self._epoch != before) - self._share) / RECENT
        rest = [scope for scope in scopes if scope not in found and not self._is_current(scope)]
        return found | self.read(rest) if rest else found

    def read(self, scopes: Collection[Scope], read: ReadVersions | None = None) -> dict[Scope, Version]:
        """Return the present versions, whatever is known of them. Raises UnavailableError."""
        before, now = self._epoch, self._clock()
        present = (read or self._index.versions)(list(scopes))
        self._epoch = present.epoch
        return {scope: Version(present.by_scope.get(scope, 0), before, now) for scope in scopes}

    def _is_current(self, scope: Scope) -> bool:
        version = self._known(scope)
        if version is None or version.epoch is None or version.epoch != self._epoch:
            return False
        return 0 <= self._clock() - version.read_at < VALID_SECONDS
