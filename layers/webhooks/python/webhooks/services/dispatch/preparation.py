"""Decodes a batch's messages, and decides which of their deliveries are sent. Reads and sends nothing."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from webhooks.domain.delivery_log import LogKey, log_key
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.errors import (
    CorruptError,
    CredentialMissingError,
    MalformedPackError,
    NewerFormError,
    StaleError,
    UnavailableError,
)
from webhooks.domain.lane import Lane
from webhooks.domain.webhook import AuthType, Credential, Webhook
from webhooks.services.dispatch.loading import Loaded, is_deferred, is_held, is_repeat
from webhooks.services.dispatch.stages import (
    Decoded,
    Deferred,
    DeliveryMessage,
    Duplicate,
    Failed,
    Held,
    Kept,
    LookedFor,
    Malformed,
    Newer,
    NotSent,
    Prepared,
    Skipped,
    Unread,
)

logger = logging.getLogger(__name__)

MISSING = "the webhook's credential is missing; save the webhook with its credential again"
CHANGED = "the webhook was changed meanwhile, and its credential with it"
UNREAD = "the delivery log does not tell whether it was sent"
PAUSED = "the webhook is paused"
NEWER = "newer form: the delivery log's item is of a later release"
DOWN = "the webhook's endpoint is down"


def decode(messages: Iterable[DeliveryMessage]) -> tuple[list[Decoded], list[Unread]]:
    """Return the deliveries that the messages bring, and the messages whose packs cannot be read."""
    decoded: list[Decoded] = []
    unread: list[Unread] = []
    for message in messages:
        try:
            pack = decode_pack(message.text)
        except MalformedPackError as error:
            logger.warning("message.malformed", extra={"message_id": message.id, "reason": str(error)})
            unread.append(Malformed(message, str(error)))
            continue
        except NewerFormError as error:
            logger.warning("message.postponed", extra={"message_id": message.id, "reason": str(error)})
            unread.append(Newer(message))
            continue
        decoded += [Decoded(message, pack, each, log_key(pack.webhook_id, each)) for each in pack.deliveries]
    return decoded, unread


def prepare(decoded: Sequence[Decoded], loaded: Loaded, lane: Lane) -> list[Prepared | NotSent]:
    """Return each delivery of a batch that came by a lane at its next stage.

    Repeats are left out, but for those of a webhook's backlog: the webhook may not be marked yet.
    """
    ready: list[Prepared | NotSent] = []
    started: dict[LogKey, str] = {}
    for one in decoded:
        each = replace(one, known=loaded.logged.get(one.key))
        if each.key in loaded.newer:
            ready.append(Failed(each, NEWER))
        elif each.key in loaded.unread:
            ready.append(Failed(each, UNREAD))
        elif is_repeat(each, each.known):
            logger.info("delivery.repeated", extra={"delivery_id": each.delivery.id})
            webhook = loaded.webhooks.get((each.pack.scope, each.pack.webhook_id))
            if each.known and each.known.is_backlog and isinstance(webhook, Webhook):
                ready.append(Kept(each, webhook))
        elif each.key in started:
            ready.append(Duplicate(each, started[each.key]))
        else:
            started[each.key] = each.message.id
            place = loaded.looked_to.get(each.key)
            ready.append(_ready(each, loaded, lane) if place is None else LookedFor(each, place))
    return ready


def _ready(decoded: Decoded, loaded: Loaded, lane: Lane) -> Prepared | NotSent:
    webhook = loaded.webhooks.get((decoded.pack.scope, decoded.pack.webhook_id))
    if isinstance(webhook, CorruptError):
        return _unreadable(decoded, webhook)
    if webhook is None:
        return Skipped(decoded, reason="webhook deleted")
    if not webhook.enabled or is_held(decoded.pack, webhook):
        return _not_now(decoded, webhook)
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


def _unreadable(decoded: Decoded, webhook: CorruptError) -> Skipped | Failed:
    if isinstance(webhook, NewerFormError):
        return Failed(decoded, str(webhook))
    return Skipped(decoded, reason=str(webhook), dead=True, is_fault=True)


def _not_now(decoded: Decoded, webhook: Webhook) -> Skipped | Held | Kept:
    """Return a delivery of a webhook that is disabled, or holds."""
    if _stays(decoded):
        return Kept(decoded, webhook)
    if not webhook.enabled:
        return Skipped(decoded, reason=webhook.disabled_reason or "webhook disabled")
    return Held(decoded, webhook, PAUSED if webhook.definition.paused else DOWN)


def _stays(decoded: Decoded) -> bool:
    """Tell whether a released delivery is still in the backlog, with its payload."""
    released, known = decoded.pack.release is not None, decoded.known
    return released and known is not None and known.is_backlog and known.has_payload


def _without_credential(decoded: Decoded, error: Exception) -> Skipped | Failed:
    match error:
        case CredentialMissingError():
            return Skipped(decoded, reason=MISSING, dead=True)
        case StaleError():
            return Failed(decoded, CHANGED)
        case UnavailableError():
            return Failed(decoded, str(error))
    return Failed(decoded, type(error).__name__, fault=error)
