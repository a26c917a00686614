"""Faults of ours: the delivery's message comes again, or the delivery is poison."""

import logging

from webhooks.domain.poison import poison_reason
from webhooks.services.dispatch.stages import Failed, Prepared, Skipped

logger = logging.getLogger(__name__)


def postponed(prepared: Prepared, reason: str) -> Failed:
    """Leave a delivery to its message's next receive, however often that was: an outage ends by itself."""
    logger.warning("delivery.postponed", extra={"delivery_id": prepared.delivery.id, "reason": reason})
    return Failed(prepared.message_id)


def failed(prepared: Prepared, error: Exception) -> Failed | Skipped:
    """Leave a delivery on which our own code fails to its message's next receive, and end poison."""
    logger.error("delivery.fault", extra={"delivery_id": prepared.delivery.id}, exc_info=error)
    reason = poison_reason(error, prepared.message.receives)
    if reason is None:
        return postponed(prepared, type(error).__name__)
    return Skipped(prepared.message_id, prepared.pack, prepared.delivery, reason=reason, dead=True)
