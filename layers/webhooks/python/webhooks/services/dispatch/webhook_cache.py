"""Healthy webhooks, kept for some seconds, so that the fast lane need not read them with every batch.

A pack names the version that its community had when fan-out matched its events. A webhook that was read for
packs of one version is at least as new as they are, and serves packs of that version or an earlier one. So an
event that is accepted after a change of a webhook sees that change; a change between fan-out and the call is
seen after these seconds at most.

Only what is fresh from fan-out is served: whatever came before, may have been sent, or is released, reads.
A webhook with any trouble is not kept, and one that gets into some is forgotten.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from threading import Lock

from webhooks.domain.errors import CorruptError
from webhooks.domain.lane import Lane
from webhooks.domain.scope import Scope
from webhooks.domain.values import value_type
from webhooks.domain.webhook import SealedCredential, Webhook
from webhooks.ports import BatchContext, Clock
from webhooks.services.dispatch.stages import Decoded

CACHED_WEBHOOKS = 2048
CACHED_BYTES = 32 * 1024 * 1024
# Memory of a webhook: its objects, and its query, of up to 24 times its text ("{}," is a dict).
WEBHOOK_BYTES, TEXT_FACTOR = 4096, 24

type WebhookKey = tuple[Scope, str]
type Read = Callable[[Sequence[WebhookKey]], BatchContext]


@value_type(frozen=True, slots=True)
class _Kept:
    """A webhook that was read for packs of a version, and the time in epoch s until which it serves."""

    webhook: Webhook
    version: int
    until: float
    size: int


class WebhookCache:
    """Keeps webhooks for `seconds`, 0 for none. `forget` may be called by a thread beside the batch's."""

    def __init__(
        self,
        *,
        seconds: float,
        clock: Clock,
        size: int = CACHED_WEBHOOKS,
        size_bytes: int = CACHED_BYTES,
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._size = size
        self._size_bytes = size_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = Lock()

    @property
    def cached(self) -> tuple[int, int]:
        """The number of webhooks, and about their bytes."""
        return len(self._kept), self._bytes

    def read(
        self, webhooks: Sequence[WebhookKey], decoded: Sequence[Decoded], lane: Lane, *, read: Read
    ) -> BatchContext:
        """Return what `read` returns of a batch's webhooks, without a read of those that are served.

        Raises UnavailableError.
        """
        if not self._seconds:
            return read(webhooks)
        now = self._clock()
        served = self._served(decoded, now) if lane is Lane.FAST else {}
        context = read([each for each in webhooks if each not in served])
        self._keep(context.webhooks, _versions(decoded), until=now + self._seconds)
        return replace(context, webhooks={**context.webhooks, **served})

    def forget(self, webhook_ids: Collection[str]) -> None:
        """Read these webhooks anew."""
        with self._lock:
            for each in webhook_ids:
                self._drop(each)

    def _served(self, decoded: Sequence[Decoded], now: float) -> Mapping[WebhookKey, Webhook]:
        wanted: dict[WebhookKey, int] = {}
        unserved: set[WebhookKey] = set()
        for each in decoded:
            key, version = (each.pack.scope, each.pack.webhook_id), each.pack.version
            if version is None or not _is_fresh(each):
                unserved.add(key)
            else:
                wanted[key] = max(wanted.get(key, version), version)
        with self._lock:
            found = {key: self._get(key, version, now) for key, version in wanted.items()}
        return {key: webhook for key, webhook in found.items() if webhook is not None and key not in unserved}

    def _get(self, key: WebhookKey, version: int, now: float) -> Webhook | None:
        scope, webhook_id = key
        kept = self._kept.get(webhook_id)
        if kept is None or kept.webhook.scope != scope or kept.version < version or kept.until <= now:
            return None
        self._kept.move_to_end(webhook_id)
        return kept.webhook

    def _keep(
        self,
        webhooks: Mapping[WebhookKey, Webhook | CorruptError],
        versions: Mapping[Scope, int],
        *,
        until: float,
    ) -> None:
        with self._lock:
            for (scope, webhook_id), webhook in webhooks.items():
                self._drop(webhook_id)
                version = versions.get(scope)
                if version is None or not isinstance(webhook, Webhook) or not _is_healthy(webhook):
                    continue
                size = _size(webhook)
                if size > self._size_bytes:
                    continue
                while len(self._kept) >= self._size or self._bytes + size > self._size_bytes:
                    self._drop(next(iter(self._kept)))
                self._kept[webhook_id] = _Kept(webhook, version, until, size)
                self._bytes += size

    def _drop(self, webhook_id: str) -> None:
        if (kept := self._kept.pop(webhook_id, None)) is not None:
            self._bytes -= kept.size


def cache_seconds(wanted: float, *, breaker_seconds: float) -> float:
    """Return how long webhooks may be kept where a breaker opens after failures that span so many seconds.

    A success must end the failures that others count before they open it: a dispatcher that has kept the
    webhook does not know of them.
    """
    return min(wanted, breaker_seconds / 2)


NO_CACHE = WebhookCache(seconds=0, clock=lambda: 0)  # reads every webhook


def _is_fresh(decoded: Decoded) -> bool:
    """Tell whether a delivery comes from fan-out for the first time."""
    pack = decoded.pack
    return (
        decoded.message.receives <= 1
        and pack.release is None
        and pack.due is None
        and not pack.again
        and not decoded.delivery.tries
    )


def _versions(decoded: Iterable[Decoded]) -> Mapping[Scope, int]:
    """Return the newest version of each community that a batch's packs name: it was read before the batch."""
    versions: dict[Scope, int] = {}
    for each in decoded:
        scope, version = each.pack.scope, each.pack.version
        if version is not None:
            versions[scope] = max(versions.get(scope, version), version)
    return versions


def _is_healthy(webhook: Webhook) -> bool:
    """Tell whether deliveries are sent to a webhook, and nothing is known against its endpoint."""
    health = webhook.health
    since = (health.slow_since, health.failing_since, health.held_since, health.backlog_since)
    return (
        webhook.enabled
        and not webhook.definition.paused
        and not health.failures
        and health.recovery is None
        and all(each is None for each in since)
    )


def _size(webhook: Webhook) -> int:
    sealed = webhook.credential.text if isinstance(webhook.credential, SealedCredential) else ""
    return WEBHOOK_BYTES + TEXT_FACTOR * len(repr(webhook.definition)) + len(sealed)
