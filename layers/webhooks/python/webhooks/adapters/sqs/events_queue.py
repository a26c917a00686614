"""The events queue as fan-out uses it: sends slices of wide events, deletes messages before a batch's end."""

from collections.abc import Sequence

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.sqs.sender import Message, delete_all, send_all
from webhooks.domain.event_slice import EventSlice, encode_slice


class SqsEventsQueue:
    """Sends slices, grouped by community as producers' events are, and deletes received messages."""

    def __init__(self, aws: AwsClients, queue_url: str) -> None:
        self._aws = aws
        self._queue_url = queue_url

    def send(self, slices: Sequence[EventSlice]) -> bool:
        """Send slices; tells whether the queue took them all."""
        messages = (Message(encode_slice(each), {}, group=each.event.scope.fairness_group) for each in slices)
        return not send_all(self._aws, self._queue_url, messages)

    def delete(self, receipts: Sequence[str]) -> None:
        """Delete received messages; a message that cannot be deleted comes again."""
        delete_all(self._aws, self._queue_url, receipts)
