"""Keys, webhooks, log and credentials: all that a batch of packs needs before anything is sent.

All of AWS that comes before an endpoint is called here, so that none of it takes of an endpoint's time.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from webhooks.domain.delivery import Delivery, Pack
from webhooks.domain.delivery_log import Logged, LogKey, log_key
from webhooks.domain.errors import CorruptError, CredentialMissingError, UnavailableError
from webhooks.domain.lane import Lane
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import AuthType, Credential, Webhook
from webhooks.ports import BatchContext, BatchReader, Workers
from webhooks.services.dispatch.attempt import Attempts
from webhooks.services.dispatch.faults import failed, postponed
from webhooks.services.dispatch.stages import Decoded, Deferred, Duplicate, Prepared, Ready, Skipped

logger = logging.getLogger(__name__)

MISSING = "the webhook's credential is missing; save the webhook with its credential again"
CHANGED = "the webhook was changed meanwhile, and its credential with it"


class Preparation:
    """Prepares batches. `workers` read credentials at the same time."""

    def __init__(self, *, reader: BatchReader, attempts: Attempts, workers: Workers) -> None:
        self._reader = reader
        self._attempts = attempts
        self._workers = workers

    def prepare(self, opened: Sequence[Decoded], lane: Lane) -> Sequence[Ready]:
        """Return the deliveries of a batch that came by a lane. Raises UnavailableError: nothing is known."""
        self._attempts.refresh()
        ready = list(_ready_of(opened, self._read(opened), lane))
        return self._with_credentials(ready)

    def _read(self, opened: Sequence[Decoded]) -> BatchContext:
        webhooks = sorted({_key(each.pack) for each in opened})
        deliveries = {
            log_key(each.pack.webhook_id, delivery): None
            for each in opened
            for delivery in each.pack.deliveries
        }
        return self._reader.read(webhooks, list(deliveries))

    def _with_credentials(self, ready: Sequence[Ready]) -> Sequence[Ready]:
        """Read each webhook's credential once; a delivery without it is not sent, and costs no other."""
        webhooks = {
            stage.webhook.id: stage.webhook
            for stage in ready
            if isinstance(stage, Prepared)
            and stage.webhook.definition.endpoint.auth_type is not AuthType.NONE
        }
        if not webhooks:
            return ready
        found = dict(
            zip(webhooks, self._workers.map(self._credential_of, list(webhooks.values())), strict=True)
        )
        missing = [webhooks[each] for each, what in found.items() if isinstance(what, CredentialMissingError)]
        unchanged = self._unchanged(missing) if missing else set()
        return [
            _with_credential(stage, found[stage.webhook.id], is_as_read=stage.webhook.id in unchanged)
            if isinstance(stage, Prepared) and stage.webhook.id in found
            else stage
            for stage in ready
        ]

    def _credential_of(self, webhook: Webhook) -> Credential | Exception | None:
        try:
            return self._attempts.credential_of(webhook)
        except Exception as error:  # noqa: BLE001 - of one webhook: a value, for it costs no other's delivery
            return error

    def _unchanged(self, webhooks: Sequence[Webhook]) -> set[str]:
        """Return those that are still as the batch read them: a change can take a credential away."""
        try:
            now = self._reader.read([(each.scope, each.id) for each in webhooks], []).webhooks
        except UnavailableError:
            return set()
        return {
            before.id
            for before in webhooks
            if isinstance(after := now.get((before.scope, before.id)), Webhook)
            and after.revision == before.revision
        }


def _ready_of(opened: Sequence[Decoded], reading: BatchContext, lane: Lane) -> Iterable[Ready]:
    started: dict[LogKey, str] = {}
    for each in opened:
        webhook = reading.webhooks.get(_key(each.pack))
        for delivery in each.pack.deliveries:
            key = log_key(each.pack.webhook_id, delivery)
            if _is_done(delivery, reading.logged.get(key)):
                logger.info("delivery.repeated", extra={"delivery_id": delivery.id})
            elif key in started:
                yield Duplicate(each.message.id, started[key])
            else:
                started[key] = each.message.id
                yield _ready(each, delivery, webhook, lane)


def _key(pack: Pack) -> tuple[Scope, str]:
    return pack.scope, pack.webhook_id


def _is_done(delivery: Delivery, logged: Logged | None) -> bool:
    """Tell whether the log knows of more attempts: then this message, or its like, was settled before."""
    return logged is not None and len(logged.attempts) > len(delivery.attempts)


def _ready(opened: Decoded, delivery: Delivery, webhook: Webhook | CorruptError | None, lane: Lane) -> Ready:
    pack, message_id = opened.pack, opened.message.id
    if isinstance(webhook, CorruptError):
        return Skipped(message_id, pack, delivery, reason=str(webhook), dead=True)
    if webhook is None:
        return Skipped(message_id, pack, delivery, reason="webhook deleted")
    if not webhook.enabled:
        return Skipped(message_id, pack, delivery, reason=webhook.disabled_reason or "webhook disabled")
    if lane is Lane.FAST and webhook.slow_since is not None:
        return Deferred(message_id, pack, delivery)
    return Prepared(opened.message, pack, delivery, webhook)


def _with_credential(prepared: Prepared, found: Credential | Exception | None, *, is_as_read: bool) -> Ready:
    match found:
        case CredentialMissingError() if is_as_read:
            return Skipped(prepared.message_id, prepared.pack, prepared.delivery, reason=MISSING, dead=True)
        case CredentialMissingError():
            return postponed(prepared, CHANGED)
        case UnavailableError():
            return postponed(prepared, str(found))
        case Exception():
            return failed(prepared, found)
    return replace(prepared, credential=found)
