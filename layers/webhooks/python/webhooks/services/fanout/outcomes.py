"""The end of the work on one message, good or bad, as a value and a log line."""

import logging

from webhooks.domain.errors import InvalidEventError, UnavailableError
from webhooks.domain.event import Event
from webhooks.domain.poison import poison_reason
from webhooks.services.fanout.stages import Cause, EventMessage, EventName, Failed, FannedOut, Rejected

logger = logging.getLogger(__name__)


def fanned_out(
    message: EventMessage,
    event: Event | EventName,
    *,
    listening: int,
    deliveries: int,
    is_repeated: bool = False,
) -> FannedOut:
    """Return the end of an event that was matched with all its listeners, and log an unmatched one."""
    if deliveries == 0:
        logger.info("event.unmatched", extra=_fields(event, listening=listening, matching=0))
    elif logger.isEnabledFor(logging.DEBUG):
        logger.debug("event.fanned_out", extra=_fields(event, listening=listening, matching=deliveries))
    return FannedOut(message, deliveries, is_unmatched=deliveries == 0, is_repeated=is_repeated)


def note_repeated(event: Event | EventName) -> None:
    """Log an event that may have been sent before: the dispatcher looks for its deliveries."""
    logger.info(
        "event.repeated",
        extra={
            "event_id": event.id,
            "event_name": event.name,
            "tenant_id": event.scope.tenant_id,
            "community_id": event.scope.community_id,
        },
    )


def failure(message: EventMessage, error: Exception) -> Failed | Rejected:
    """Return the end of a failed message: it comes again, but invalid events and poison are dead-lettered."""
    if isinstance(error, InvalidEventError):
        logger.warning("event.invalid", extra={"message_id": message.id, "reason": str(error)})
        return Rejected(message, str(error))
    if isinstance(error, UnavailableError):
        logger.warning("event.postponed", extra={"message_id": message.id, "reason": str(error)})
        return Failed(message)
    extra = {"message_id": message.id, "receives": message.receives}
    logger.error("event.fault", extra=extra, exc_info=error)  # a fault of ours
    reason = poison_reason(error, message.receives)
    return Failed(message) if reason is None else Rejected(message, reason, cause=Cause.FAULT)


def _fields(event: Event | EventName, *, listening: int, matching: int) -> dict[str, str | int]:
    return {
        "event_id": event.id,
        "event_name": event.name,
        "tenant_id": event.scope.tenant_id,
        "community_id": event.scope.community_id,
        "listening": listening,
        "matching": matching,
    }
