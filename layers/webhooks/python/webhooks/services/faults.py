"""What follows for a delivery where the fault is ours: its message comes again, or the delivery is poison."""

import logging

from webhooks.services.stages import Ended, Prepared, Unsettled

logger = logging.getLogger(__name__)

POISON_RECEIVES = (
    5  # a fault that so many receives met, the first and the last 12 minutes apart, is no accident
)


def postponed(prepared: Prepared, reason: str) -> Unsettled:
    """Leave a delivery to its message's next receive, however often that was: an outage ends by itself."""
    logger.warning("delivery.postponed", extra={"delivery_id": prepared.delivery.id, "reason": reason})
    return Unsettled(prepared.message_id)


def failed(prepared: Prepared, error: Exception) -> Unsettled | Ended:
    """Leave a delivery on which our own code fails to its message's next receive, the fifth time end it."""
    logger.error("delivery.fault", extra={"delivery_id": prepared.delivery.id}, exc_info=error)
    name, receives = type(error).__name__, prepared.message.receives
    if receives < POISON_RECEIVES:
        return postponed(prepared, name)
    reason = f"not processed: {name} after {receives} receives"
    return Ended(prepared.message_id, prepared.pack, prepared.delivery, reason=reason, dead=True)
