"""The events queue as fan-out uses it: sends the rest of an event or of an array, deletes messages early."""

from collections.abc import Sequence

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.sqs.sender import Message, delete_all, send_all
from webhooks.domain.event_array import ArrayPart, encode_part, scope_of
from webhooks.domain.event_slice import EventSlice


class SqsEventsQueue:
    """Sends parts, grouped by community as producers' events are, and deletes received messages."""

    def __init__(self, aws: AwsClients, queue_url: str) -> None:
        self._aws = aws
        self._queue_url = queue_url

    def send(self, parts: Sequence[EventSlice | ArrayPart]) -> bool:
        """Send parts; tells whether the queue took them all."""
        return not send_all(self._aws, self._queue_url, map(_message, parts))

    def delete(self, receipts: Sequence[str]) -> None:
        """Delete received messages; a message that cannot be deleted comes again."""
        delete_all(self._aws, self._queue_url, receipts)


def _message(part: EventSlice | ArrayPart) -> Message:
    scope = scope_of(part)
    return Message(encode_part(part), {}, group=scope.fairness_group if scope else None)
