"""The delivery log in DynamoDB, as the dispatcher writes it: items, and the payloads that it keeps."""

from collections.abc import Sequence
from dataclasses import replace

from webhooks.adapters.aws.backoff import Backoff
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.batch_writer import put, write_all
from webhooks.adapters.dynamodb.delivery_log_items import entry_item, expires_at
from webhooks.adapters.dynamodb.payload_store import DynamoPayloadStore
from webhooks.adapters.dynamodb.shared_items import shared_item
from webhooks.domain.delivery_log import KEPT, LogEntry, Outcome, PayloadStep, payload_step
from webhooks.domain.log_sharing import share


class DynamoDeliveryLog:
    """The deliveries table. `days`: how long an item stays.

    `keep_all_payloads`: those of delivered ones, too.
    """

    def __init__(
        self,
        aws: AwsClients,
        table_name: str,
        *,
        days: int,
        keep_all_payloads: bool = False,
        backoff: Backoff | None = None,
    ) -> None:
        self._aws = aws
        self._table_name = table_name
        self._backoff = backoff or Backoff()
        self._payloads = DynamoPayloadStore(aws, table_name, backoff=self._backoff)
        self._days = days
        self._kept = tuple(Outcome) if keep_all_payloads else KEPT

    def record(self, entries: Sequence[LogEntry]) -> Sequence[LogEntry]:
        """Write the entries, each over its delivery's earlier one; returns those that were not written."""
        latest = {entry.key.delivery_id: entry for entry in entries}  # a batch must not have one twice
        steps = {each: payload_step(entry, self._kept) for each, entry in latest.items()}
        unwritten = self._keep_payloads(
            [entry for each, entry in latest.items() if steps[each] is PayloadStep.WRITE]
        )
        unwritten |= self._write(
            [_stored(entry, steps[each]) for each, entry in latest.items() if each not in unwritten]
        )
        gone = {
            each: entry.delivery.body
            for each, entry in latest.items()
            if steps[each] is PayloadStep.DELETE and each not in unwritten
        }
        if gone:
            self._payloads.remove(gone)
        return [entry for each, entry in latest.items() if each in unwritten]

    def _write(self, entries: Sequence[LogEntry]) -> set[str]:
        """Write entries, plain ones in shared items; return the ids of those that were not written."""
        sharing = share(entries, lambda plain: shared_item(plain, self._days))
        items = [
            *((shared, item) for shared, item in sharing.shared),
            *(((entry,), entry_item(entry, self._days)) for entry in sharing.own),
        ]
        left = write_all(self._aws, self._table_name, (put(item) for _, item in items), backoff=self._backoff)
        return {
            entry.key.delivery_id
            for written, item in items
            if (item["pk"]["S"], item["sk"]["S"]) in left
            for entry in written
        }

    def _keep_payloads(self, entries: Sequence[LogEntry]) -> set[str]:
        """Write payloads; return the ids of the deliveries whose ones were not written."""
        if not entries:
            return set()
        return self._payloads.keep(
            {each.key.delivery_id: (each.delivery.body, expires_at(each, self._days)) for each in entries}
        )


def _stored(entry: LogEntry, step: PayloadStep) -> LogEntry:
    """Return an entry that tells whether its payload is kept from now on; one whose is has an item alone."""
    is_kept = step in (PayloadStep.WRITE, PayloadStep.LEAVE)
    return entry if entry.has_payload is is_kept else replace(entry, has_payload=is_kept)
