"""The events queue as those use it who publish."""

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.sqs.sender import Message, send_one
from webhooks.domain.scope import Scope


class SqsEventPublisher:
    """Sends events, grouped by community."""

    def __init__(self, aws: AwsClients, queue_url: str) -> None:
        self._aws = aws
        self._queue_url = queue_url

    def publish(self, scope: Scope, text: str) -> None:
        """Send an event, as the text of a message. Raises UnavailableError."""
        send_one(self._aws, self._queue_url, Message(text, {}, group=scope.fairness_group))
