"""Works through a dead-letter queue: each message is looked at once, and none is ever lost.

A message that is received is invisible to others. One that is not taken becomes visible again at the end,
whatever ends the work; after a kill it does so by itself, HIDDEN_SECONDS later.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from webhooks_cli.aws import aws_errors
from webhooks_cli.dead_letters import Chosen, DeadLetter, Entry, Placing, entry_size, from_message
from webhooks_cli.errors import CliError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

HIDDEN_SECONDS = 900
BATCH = 10
BATCH_BYTES = 1024 * 1024
PASSED_MAX = 20_000  # messages that are kept invisible while others are looked at
WAIT_SECONDS = 1  # a long poll asks all servers of a queue; a short one may miss some
REPEATS_MAX = 20  # receives in a row with known messages only: all have been looked at


@dataclass(slots=True)
class Tally:
    """Counts of messages. `unplaced`: why some cannot go back, and how many."""

    seen: int = 0
    chosen: int = 0
    sent: int = 0
    deleted: int = 0
    refused: int = 0
    not_deleted: int = 0
    not_released: int = 0
    stopped: str = ""  # why others were not looked at
    unplaced: dict[str, int] = field(default_factory=dict)


class DeadLetterQueue:
    """One dead-letter queue while a command works through it; used with `with`."""

    def __init__(self, sqs: "SQSClient", url: str, *, wait_seconds: int = WAIT_SECONDS) -> None:
        self._sqs = sqs
        self._url = url
        self._wait_seconds = wait_seconds
        self._held: dict[str, str] = {}  # message id: receipt; to be released
        self._sent: dict[str, str] = {}  # sent on, not yet deleted
        self.tally = Tally()

    def __enter__(self) -> "DeadLetterQueue":  # noqa: PYI034 - typing.Self is newer than 3.10
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with suppress(CliError):  # deleted by a later redrive, whose repeat the log recognises
                self._delete(list(self._sent))
        finally:
            self._release(list(self._held))
            self.tally.not_deleted = len(self._sent)

    def chosen(self, filter_: Chosen, *, limit: int | None) -> Iterator[list[DeadLetter]]:
        """Yield the messages that the filter takes, up to ten at a time; each once. Raises CliError."""
        repeats = 0
        while limit is None or self.tally.chosen < limit:
            if len(self._held) >= PASSED_MAX:
                self.tally.stopped = f"{PASSED_MAX} messages were passed over: the others were not looked at"
                return
            received = self._receive(BATCH if limit is None else min(BATCH, limit - self.tally.chosen))
            if not received:
                return
            new = [each for each in received if each.id not in self._held]
            self._held.update((each.id, each.receipt) for each in received)
            repeats = 0 if new else repeats + 1
            if repeats == REPEATS_MAX:
                return
            self.tally.seen += len(new)
            taken = [each for each in new if filter_.takes(each)]
            self.tally.chosen += len(taken)
            if taken:
                yield taken

    def move(self, letters: Sequence[DeadLetter], target_url: str, placing: Placing) -> None:
        """Send messages to their queue, then delete them here; one without a place stays. Raises CliError."""
        for chunk in _chunks(self.plan(letters, placing)):
            taken = self._send(chunk, target_url)
            self._sent.update((each.id, self._held.pop(each.id)) for each in taken)
            self.tally.sent += len(taken)
            self._delete([each.id for each in taken])

    def plan(self, letters: Sequence[DeadLetter], placing: Placing) -> list[tuple[DeadLetter, Entry]]:
        """Return the messages that have a place, each as it goes there; count the others."""
        placed: list[tuple[DeadLetter, Entry]] = []
        for letter in letters:
            entry = placing(letter)
            if isinstance(entry, str):
                self.tally.unplaced[entry] = self.tally.unplaced.get(entry, 0) + 1
            else:
                placed.append((letter, entry))
        return placed

    def delete(self, letters: Sequence[DeadLetter]) -> None:
        """Delete messages for good. Raises CliError."""
        self._sent.update((each.id, self._held.pop(each.id)) for each in letters)
        self._delete([each.id for each in letters])

    def _receive(self, most: int) -> list[DeadLetter]:
        with aws_errors("sqs ReceiveMessage"):
            found = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=most,
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=self._wait_seconds,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        return [from_message(each) for each in found.get("Messages", [])]

    def _send(self, chunk: Sequence[tuple[DeadLetter, Entry]], target_url: str) -> list[DeadLetter]:
        entries: list[Any] = [{"Id": str(at), **entry} for at, (_, entry) in enumerate(chunk)]
        with aws_errors("sqs SendMessageBatch"):
            answered = self._sqs.send_message_batch(QueueUrl=target_url, Entries=entries)
        self.tally.refused += len(answered.get("Failed", []))
        return [chunk[int(each["Id"])][0] for each in answered.get("Successful", [])]

    def _delete(self, ids: Sequence[str]) -> None:
        """Delete messages that were sent; one that cannot be deleted stays, and is tried again at the end."""
        for at in range(0, len(ids), BATCH):
            batch = ids[at : at + BATCH]
            entries: list[Any] = [
                {"Id": str(number), "ReceiptHandle": self._sent[id_]} for number, id_ in enumerate(batch)
            ]
            with aws_errors("sqs DeleteMessageBatch"):
                answered = self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
            for each in answered.get("Successful", []):
                del self._sent[batch[int(each["Id"])]]
                self.tally.deleted += 1

    def _release(self, ids: Sequence[str]) -> None:
        """Make messages visible again; one that AWS does not release now does so by itself later.

        The first Ctrl-C waits for the end, a second one does not.
        """
        interrupts = 0
        batches = [ids[at : at + BATCH] for at in range(0, len(ids), BATCH)]
        while batches:
            try:
                self._release_batch(batches[-1])
            except KeyboardInterrupt:
                interrupts += 1
                if interrupts > 1:
                    raise
                continue
            batches.pop()
        if interrupts:
            raise KeyboardInterrupt

    def _release_batch(self, ids: Sequence[str]) -> None:
        entries: list[Any] = [
            {"Id": str(number), "ReceiptHandle": self._held[id_], "VisibilityTimeout": 0}
            for number, id_ in enumerate(ids)
        ]
        try:
            with aws_errors("sqs ChangeMessageVisibilityBatch"):
                answered = self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
        except CliError:
            self.tally.not_released += len(ids)
            return
        self.tally.not_released += len(answered.get("Failed", []))


Placed = Sequence[tuple[DeadLetter, Entry]]


def _chunks(placed: Placed) -> Iterator[Placed]:
    """Split messages, in their order, into those of one call each."""
    chunk: list[tuple[DeadLetter, Entry]] = []
    size = 0
    for letter, entry in placed:
        weight = entry_size(entry)
        if chunk and (len(chunk) == BATCH or size + weight > BATCH_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append((letter, entry))
        size += weight
    if chunk:
        yield chunk
