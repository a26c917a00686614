"""The queue of pages of replays and of looks at webhooks, and its dead-letter queue."""

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.sqs.sender import Message, attribute, send_one
from webhooks.domain.recovery_message import encode_task
from webhooks.domain.replay import RecoveryTask
from webhooks.domain.retry import MAX_DELAY


class SqsRecoveryQueue:
    """Sends tasks, grouped by community: a large replay holds up no other community's probes."""

    def __init__(self, aws: AwsClients, queue_url: str) -> None:
        self._aws = aws
        self._queue_url = queue_url

    def send(self, task: RecoveryTask, *, delay: int) -> None:
        """Send a task, to be received after `delay` seconds, at most 900. Raises UnavailableError."""
        seconds = max(0, min(delay, MAX_DELAY))
        message = Message(encode_task(task), {}, group=task.scope.fairness_group, delay=seconds)
        send_one(self._aws, self._queue_url, message)


class SqsRecoveryDlq:
    """Sends texts that are no tasks, and tasks that cannot be worked on, with the reason."""

    def __init__(self, aws: AwsClients, dead_letter_url: str) -> None:
        self._aws = aws
        self._dead_letter_url = dead_letter_url

    def send_to_dlq(self, text: str, reason: str) -> None:
        """Send a text as it came. Raises UnavailableError."""
        send_one(self._aws, self._dead_letter_url, Message(text, {"reason": attribute(reason)}))
