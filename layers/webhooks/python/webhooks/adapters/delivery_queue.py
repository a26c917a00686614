"""The deliveries queue and its dead-letter queue."""

from collections.abc import Sequence
from dataclasses import replace

from webhooks.adapters.aws import AwsClients
from webhooks.adapters.sqs import Message, attribute, send_all, send_one
from webhooks.domain.delivery import Pack, encode_pack

MAX_DELAY = 900  # seconds, SQS's limit


class SqsDeliveryQueue:
    """Sends packs. A message's group is its webhook, so that no webhook's backlog holds up the others."""

    def __init__(self, aws: AwsClients, *, queue_url: str, dead_letter_url: str) -> None:
        self._aws = aws
        self._queue_url = queue_url
        self._dead_letter_url = dead_letter_url

    def send(self, packs: Sequence[Pack]) -> Sequence[Pack]:
        """Send packs; returns those that the queue did not take."""
        return self.send_later([(pack, 0) for pack in packs])

    def send_later(self, packs: Sequence[tuple[Pack, int]]) -> Sequence[Pack]:
        """Send each pack to be received after its seconds; returns those that the queue did not take."""
        refused = send_all(
            self._aws,
            self._queue_url,
            [
                replace(_message(pack), group=pack.webhook_id, delay=max(0, min(seconds, MAX_DELAY)))
                for pack, seconds in packs
            ],
        )
        return [pack for position, (pack, _) in enumerate(packs) if position in refused]

    def bury(self, packs: Sequence[tuple[Pack, str]]) -> Sequence[Pack]:
        """Send packs to the dead-letter queue, each with the reason; returns those that it did not take."""
        refused = send_all(
            self._aws,
            self._dead_letter_url,
            [_message(pack, reason=attribute(reason)) for pack, reason in packs],
        )
        return [pack for position, (pack, _) in enumerate(packs) if position in refused]

    def bury_text(self, text: str, reason: str) -> None:
        """Send what is no pack to the dead-letter queue. Raises UnavailableError, also if it is too large."""
        send_one(self._aws, self._dead_letter_url, Message(text, {"reason": attribute(reason)}))


def _message(pack: Pack, **attributes: str) -> Message:
    return Message(encode_pack(pack), {"webhookId": attribute(pack.webhook_id), **attributes})
