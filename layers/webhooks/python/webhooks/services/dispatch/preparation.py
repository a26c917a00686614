"""Decodes a batch's messages, and decides which of their deliveries are sent. Reads and sends nothing."""

import logging
from collections.abc import Iterable, Sequence

from webhooks.domain.delivery_log import LogKey, log_key
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.errors import (
    CorruptError,
    CredentialMissingError,
    MalformedPackError,
    StaleError,
    UnavailableError,
)
from webhooks.domain.lane import Lane
from webhooks.domain.webhook import AuthType, Credential
from webhooks.services.dispatch.loading import Loaded, is_deferred, is_repeat
from webhooks.services.dispatch.stages import (
    Decoded,
    Deferred,
    DeliveryMessage,
    Duplicate,
    Failed,
    Malformed,
    NotSent,
    Prepared,
    Skipped,
)

logger = logging.getLogger(__name__)

MISSING = "the webhook's credential is missing; save the webhook with its credential again"
CHANGED = "the webhook was changed meanwhile, and its credential with it"


def decode(messages: Iterable[DeliveryMessage]) -> tuple[list[Decoded], list[Malformed]]:
    """Return the deliveries that the messages bring, and the messages that are no packs."""
    decoded: list[Decoded] = []
    malformed: list[Malformed] = []
    for message in messages:
        try:
            pack = decode_pack(message.text)
        except MalformedPackError as error:
            logger.warning("message.malformed", extra={"message_id": message.id, "reason": str(error)})
            malformed.append(Malformed(message, str(error)))
            continue
        decoded += [Decoded(message, pack, each, log_key(pack.webhook_id, each)) for each in pack.deliveries]
    return decoded, malformed


def prepare(decoded: Sequence[Decoded], loaded: Loaded, lane: Lane) -> list[Prepared | NotSent]:
    """Return each delivery of a batch that came by a lane at its next stage, without repeats."""
    ready: list[Prepared | NotSent] = []
    started: dict[LogKey, str] = {}
    for each in decoded:
        if is_repeat(each, loaded.logged):
            logger.info("delivery.repeated", extra={"delivery_id": each.delivery.id})
        elif each.key in started:
            ready.append(Duplicate(each, started[each.key]))
        else:
            started[each.key] = each.message.id
            ready.append(_ready(each, loaded, lane))
    return ready


def _ready(decoded: Decoded, loaded: Loaded, lane: Lane) -> Prepared | NotSent:
    webhook = loaded.webhooks.get((decoded.pack.scope, decoded.pack.webhook_id))
    if isinstance(webhook, CorruptError):
        return Skipped(decoded, reason=str(webhook), dead=True)
    if webhook is None:
        return Skipped(decoded, reason="webhook deleted")
    if not webhook.enabled:
        return Skipped(decoded, reason=webhook.disabled_reason or "webhook disabled")
    if is_deferred(webhook, lane):
        return Deferred(decoded)
    if webhook.definition.endpoint.auth_type is AuthType.NONE:
        return Prepared(decoded, webhook)
    credential = loaded.credentials[webhook.id]
    return (
        Prepared(decoded, webhook, credential)
        if isinstance(credential, Credential)
        else _without_credential(decoded, credential)
    )


def _without_credential(decoded: Decoded, error: Exception) -> Skipped | Failed:
    match error:
        case CredentialMissingError():
            return Skipped(decoded, reason=MISSING, dead=True)
        case StaleError():
            return Failed(decoded, CHANGED)
        case UnavailableError():
            return Failed(decoded, str(error))
    return Failed(decoded, type(error).__name__, fault=error)
