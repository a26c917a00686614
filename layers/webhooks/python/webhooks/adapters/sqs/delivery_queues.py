"""The deliveries queue, its slow lane and its dead-letter queue."""

from collections.abc import Sequence
from dataclasses import replace

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.sqs.sender import Message, attribute, delete_all, send_all, send_one
from webhooks.domain.delivery import Pack
from webhooks.domain.delivery_message import encode_pack
from webhooks.domain.lane import Lane
from webhooks.domain.retry import MAX_DELAY


class SqsFastLane:
    """Sends packs. A message's group is its community, so that no community's backlog holds up the others."""

    def __init__(self, aws: AwsClients, queue_url: str) -> None:
        self._aws = aws
        self._queue_url = queue_url

    def send(self, packs: Sequence[Pack]) -> Sequence[Pack]:
        """Send packs; returns those that the queue did not take."""
        return _send(self._aws, self._queue_url, [(pack, 0) for pack in packs])


class SqsSlowLane:
    """Sends packs to the slow lane alone."""

    def __init__(self, aws: AwsClients, queue_url: str) -> None:
        self._aws = aws
        self._queue_url = queue_url

    def send_slow(self, packs: Sequence[tuple[Pack, int]]) -> Sequence[Pack]:
        """Send each pack, to be received after its seconds; returns those not taken."""
        return _send(self._aws, self._queue_url, packs)


class SqsDeliveryQueue:
    """Sends packs to the slow lane, or to the dead-letter queue."""

    def __init__(self, aws: AwsClients, *, fast_url: str, slow_url: str, dead_letter_url: str) -> None:
        self._aws = aws
        self._fast_url = fast_url
        self._slow_url = slow_url
        self._dead_letter_url = dead_letter_url

    def send_slow(self, packs: Sequence[tuple[Pack, int]]) -> Sequence[Pack]:
        """Send each pack into the slow lane, to be received after its seconds; returns those not taken."""
        return _send(self._aws, self._slow_url, packs)

    def send_to_dlq(self, packs: Sequence[tuple[Pack, str]]) -> Sequence[Pack]:
        """Send packs to the dead-letter queue, each with the reason; returns those that it did not take."""
        refused = send_all(
            self._aws,
            self._dead_letter_url,
            (_message(pack, reason=attribute(reason)) for pack, reason in packs),
        )
        return [pack for position, (pack, _) in enumerate(packs) if position in refused]

    def send_text_to_dlq(self, text: str, reason: str) -> None:
        """Dead-letter a message that is no pack; without the reason where no room is left for it.

        Raises UnavailableError.
        """
        send_one(self._aws, self._dead_letter_url, Message(text, {"reason": attribute(reason)}))

    def delete(self, receipts: Sequence[str], lane: Lane) -> None:
        """Delete received messages; a message that cannot be deleted comes again."""
        delete_all(self._aws, self._fast_url if lane is Lane.FAST else self._slow_url, receipts)


def _message(pack: Pack, **attributes: str) -> Message:
    return Message(encode_pack(pack), {"webhookId": attribute(pack.webhook_id), **attributes})


def _send(aws: AwsClients, queue_url: str, packs: Sequence[tuple[Pack, int]]) -> Sequence[Pack]:
    messages = (
        replace(_message(pack), group=pack.scope.fairness_group, delay=max(0, min(seconds, MAX_DELAY)))
        for pack, seconds in packs
    )
    refused = send_all(aws, queue_url, messages)
    return [pack for position, (pack, _) in enumerate(packs) if position in refused]
