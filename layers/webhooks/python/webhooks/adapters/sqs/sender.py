"""Sending to SQS: entries, the limits of a batch, and the characters of an attribute."""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import batched
from typing import Any

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import unavailable
from webhooks.domain.errors import UnavailableError
from webhooks.domain.values import value_type

MAX_ENTRIES = 10
MAX_BYTES = 1024 * 1024  # of a message, and of all messages of a call together
MAX_REASON = 256  # characters
# SQS takes XML 1.0's characters (SendMessage in its API reference): all but these. A class of the
# others would be ten times slower to compile, at each init.
_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

logger = logging.getLogger(__name__)


@value_type(frozen=True, slots=True)
class Message:
    """A message to send; `delay` in seconds, `group` where the queue is to share fairly."""

    body: str
    attributes: dict[str, str]
    group: str | None = None
    delay: int = 0

    @property
    def size(self) -> int:
        """Return its bytes as SQS counts them: the body, and each attribute's name, type and value."""
        attributes = sum(len(f"{name}String{value}".encode()) for name, value in self.attributes.items())
        return len(self.body.encode()) + attributes

    def entry(self) -> dict[str, Any]:
        """Return it as the client takes it."""
        entry: dict[str, Any] = {
            "MessageBody": self.body,
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": value} for name, value in self.attributes.items()
            },
        }
        if self.group is not None:
            entry["MessageGroupId"] = self.group
        if self.delay:
            entry["DelaySeconds"] = self.delay
        return entry


def send_all(aws: AwsClients, queue_url: str, messages: Iterable[Message]) -> set[int]:
    """Send the messages in as few calls as can be; returns the positions of those that were not taken.

    A call that fails fails its own messages only: earlier ones are sent, and must not go twice. Where
    messages are made as they are asked for, no more of them exist at a time than a call takes.
    """
    refused: set[int] = set()
    for chunk in _chunks(messages):
        entries: list[Any] = [{"Id": str(position), **message.entry()} for position, message in chunk]
        try:
            with unavailable("sqs SendMessageBatch"):
                response = aws.sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
        except UnavailableError as error:
            logger.warning("queue.refused", extra={"reason": str(error), "messages": len(chunk)})
            refused.update(position for position, _ in chunk)
            continue
        for failed in response.get("Failed", []):
            logger.warning("queue.refused", extra={"reason": f"sqs SendMessageBatch: {failed['Code']}"})
            refused.add(int(failed["Id"]))
    return refused


def delete_all(aws: AwsClients, queue_url: str, receipts: Sequence[str]) -> None:
    """Delete received messages; one that cannot be deleted comes again, so that only the log says it."""
    for chunk in batched(receipts, MAX_ENTRIES, strict=False):
        entries: list[Any] = [{"Id": str(at), "ReceiptHandle": receipt} for at, receipt in enumerate(chunk)]
        try:
            with unavailable("sqs DeleteMessageBatch"):
                failed = aws.sqs.delete_message_batch(QueueUrl=queue_url, Entries=entries).get("Failed", [])
        except UnavailableError as error:
            logger.warning("queue.not_deleted", extra={"reason": str(error), "messages": len(chunk)})
            continue
        if failed:
            logger.warning("queue.not_deleted", extra={"reason": failed[0]["Code"], "messages": len(failed)})


def send_one(aws: AwsClients, queue_url: str, message: Message) -> None:
    """Send a message; one that has no room for its attributes goes without them. Raises UnavailableError."""
    with unavailable("sqs SendMessage"):
        aws.sqs.send_message(QueueUrl=queue_url, **fitted(message).entry())


def fitted(message: Message) -> Message:
    """Return a message, without its attributes where it has no room for them."""
    if message.size <= MAX_BYTES:
        return message
    # As large as it came: to refuse it would bring it back for hours.
    logger.warning("queue.no_room", extra={"bytes": message.size, "attributes": message.attributes})
    return replace(message, attributes={})


def attribute(text: str) -> str:
    """Return a text as a message's attribute can hold it: not empty, no control characters, not long."""
    return _UNSENDABLE.sub("?", text)[:MAX_REASON] or "unknown"


def _chunks(messages: Iterable[Message]) -> Iterator[list[tuple[int, Message]]]:
    chunk: list[tuple[int, Message]] = []
    size = 0
    for position, message in enumerate(messages):
        weight = message.size
        if chunk and (len(chunk) == MAX_ENTRIES or size + weight > MAX_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append((position, message))
        size += weight
    if chunk:
        yield chunk
