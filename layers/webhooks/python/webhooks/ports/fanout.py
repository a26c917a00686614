"""The port that fan-out begins a batch with."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from webhooks.domain.scope import Scope
from webhooks.ports.subscriptions import Versions


@dataclass(frozen=True, slots=True)
class FanoutContext:
    """Communities' versions with the epoch, and the hashes of windows: of each that was read, empty or not.

    A window is left out where it could not be read with the versions: reading it alone tells why.
    """

    versions: Versions
    windows: Mapping[str, Collection[bytes]]


class FanoutReader(Protocol):
    """Reads what SubscriptionIndex and SeenEvents have, in one call."""

    def read(self, scopes: Sequence[Scope], windows: Sequence[str]) -> FanoutContext:
        """Return the epoch and the present versions of communities, and windows as they were shortly before.

        One call for 99 of both. Raises UnavailableError for versions alone.
        """
