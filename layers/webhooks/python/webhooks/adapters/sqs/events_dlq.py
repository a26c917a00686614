"""The dead-letter queue of the events queue."""

from collections.abc import Sequence

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.sqs.sender import Message, attribute, fitted, send_all, send_one


class SqsEventsDlq:
    """Sends events as they came, with the reason."""

    def __init__(self, aws: AwsClients, dead_letter_url: str) -> None:
        self._aws = aws
        self._dead_letter_url = dead_letter_url

    def send_to_dlq(self, text: str, reason: str) -> None:
        """Send an event, without the reason where it has no room left for it. Raises UnavailableError."""
        send_one(self._aws, self._dead_letter_url, Message(text, {"reason": attribute(reason)}))

    def send_all_to_dlq(self, events: Sequence[tuple[str, str]]) -> bool:
        """Send events, each with its reason; tells whether the queue took them all."""
        messages = (fitted(Message(text, {"reason": attribute(reason)})) for text, reason in events)
        return not send_all(self._aws, self._dead_letter_url, messages)
