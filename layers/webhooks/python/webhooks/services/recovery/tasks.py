"""Works on the messages of the recovery queue; says which must come again."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from webhooks.domain.errors import MalformedTaskError, UnavailableError
from webhooks.domain.poison import poison_reason
from webhooks.domain.recovery_message import decode_task
from webhooks.domain.replay import ReplayPage, WebhookCheck
from webhooks.ports import RecoveryDlq

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TaskMessage:
    """A message of the recovery queue. `receives`: how often it was received, this time included."""

    id: str
    text: str
    receives: int = 1


class RecoveryTasks:
    """Reads tasks. `page` and `check` work on one, given with its message's id where it matters.

    `page` tells whether its message is done; otherwise it comes again.
    """

    def __init__(
        self,
        *,
        page: Callable[[ReplayPage, str], bool],
        check: Callable[[WebhookCheck], None],
        dlq: RecoveryDlq,
    ) -> None:
        self._page = page
        self._check = check
        self._dlq = dlq

    def work(self, messages: Sequence[TaskMessage]) -> set[str]:
        """Work on messages; return the ids of those that must come again. Raises no Exception."""
        return {message.id for message in messages if not self._is_done(message)}

    def _is_done(self, message: TaskMessage) -> bool:
        try:
            task = decode_task(message.text)
            if isinstance(task, ReplayPage):
                return self._page(task, message.id)
            self._check(task)
        except MalformedTaskError as error:
            return self._is_dead_lettered(message, str(error))
        except UnavailableError as error:  # an outage ends by itself: it makes no task poison
            logger.warning("task.postponed", extra={"message_id": message.id, "reason": str(error)})
            return False
        except Exception as error:  # the boundary of a task: logged without foreign texts
            logger.exception("task.failed", extra={"message_id": message.id})
            reason = poison_reason(error, message.receives)
            return reason is not None and self._is_dead_lettered(message, reason)
        return True

    def _is_dead_lettered(self, message: TaskMessage, reason: str) -> bool:
        """Dead-letter a message as it came; tell whether the queue took it."""
        extra = {"message_id": message.id, "reason": reason}
        try:
            self._dlq.send_to_dlq(message.text, reason)
        except UnavailableError as error:
            logger.warning("task.not_dead_lettered", extra=extra | {"reason": str(error)})
            return False
        logger.error("task.dead_lettered", extra=extra)
        return True
