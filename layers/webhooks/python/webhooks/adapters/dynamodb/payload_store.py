"""Payloads of deliveries in DynamoDB: callback bodies, compressed, in chunks beside the delivery log."""

import logging
import zlib
from collections.abc import Iterable, Mapping, Sequence

from webhooks.adapters.aws.backoff import Backoff
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.batch_writer import delete, put, write_all
from webhooks.adapters.dynamodb.items import Item, key, require_form
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.forms import PAYLOAD

CHUNK_BYTES = 350 * 1024  # an item of DynamoDB may have 400 KB

logger = logging.getLogger(__name__)


class DynamoPayloadStore:
    """Keeps payloads in the deliveries table, by their deliveries' ids."""

    def __init__(self, aws: AwsClients, table_name: str, *, backoff: Backoff | None = None) -> None:
        self._aws = aws
        self._table = Table(aws, table_name, backoff=backoff)

    def keep(self, bodies: Mapping[str, tuple[str, int]]) -> set[str]:
        """Write payloads, each until it expires (epoch seconds); return those not written."""
        items = (
            put(item)
            for delivery_id, (body, expires_at) in bodies.items()
            for item in chunk_items(delivery_id, body, expires_at=expires_at)
        )
        left = write_all(self._aws, self._table.name, items, backoff=self._table.backoff)
        return {_delivery_id(pk) for pk, _ in left}

    def remove(self, bodies: Mapping[str, str]) -> None:
        """Delete the payloads with these bodies; what cannot be deleted expires."""
        keys = (
            delete(_chunk_key(delivery_id, number))
            for delivery_id, body in bodies.items()
            for number in range(most_chunks(body))
        )
        left = write_all(self._aws, self._table.name, keys, backoff=self._table.backoff)
        if left:
            logger.warning("payloads.not_deleted", extra={"items": len(left)})

    def read(self, delivery_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the bodies that are kept; one that cannot be read is left out. Raises NewerFormError."""
        first = self._chunks((each, 0) for each in dict.fromkeys(delivery_ids))
        for item in first.values():
            require_form(item, PAYLOAD)
        others = self._chunks(
            (delivery_id, number)
            for (delivery_id, _), item in first.items()
            for number in range(1, int(item["chunks"]["N"]))
        )
        chunks = first | others
        bodies = {}
        for delivery_id, _ in first:
            count = int(first[delivery_id, 0]["chunks"]["N"])
            try:
                data = b"".join(chunks[delivery_id, number]["data"]["B"] for number in range(count))
                bodies[delivery_id] = zlib.decompress(data).decode()
            except (KeyError, ValueError, zlib.error):
                logger.warning("payload.corrupt", extra={"delivery_id": delivery_id})
        return bodies

    def _chunks(self, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Item]:
        items = self._table.get_many(_chunk_key(*each) for each in wanted)
        return {(_delivery_id(item["pk"]["S"]), int(item["sk"]["S"])): item for item in items}


def chunk_items(delivery_id: str, body: str, *, expires_at: int) -> Sequence[Item]:
    """Return the items of a payload; the first one has their number."""
    data = zlib.compress(body.encode())
    parts = [data[begin : begin + CHUNK_BYTES] for begin in range(0, len(data), CHUNK_BYTES)]
    items = [
        _chunk_key(delivery_id, number) | {"data": {"B": part}, "expiresAt": {"N": str(expires_at)}}
        for number, part in enumerate(parts)
    ]
    items[0]["chunks"] = {"N": str(len(parts))}
    return items


def most_chunks(body: str) -> int:
    """Return how many chunks a body's payload can have: zlib adds 5 bytes to 16 KiB at most, and 6."""
    size = len(body.encode())
    return -(-(size + size // 3000 + 64) // CHUNK_BYTES)


def _chunk_key(delivery_id: str, number: int) -> Item:
    return key(f"P#{delivery_id}", f"{number:04d}")


def _delivery_id(pk: str) -> str:
    return pk.removeprefix("P#")
