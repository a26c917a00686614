"""The cost of a page: the last one of 100,000 webhooks as much as the first, counted in read units."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.aws_stub.item_size import READ_UNIT, item_bytes, units
from tests.clocks import NOW
from tests.contract.backends import Backend, backend_named
from tests.contract.webhooks_made import ACME, make_webhook
from webhooks.adapters.dynamodb.items import key
from webhooks.adapters.dynamodb.keys import (
    HEAD,
    community_pk,
    live_sk,
    tag_sk,
    webhook_sk,
)
from webhooks.adapters.dynamodb.sequence_bitmaps import SEGMENT, bitmap_to_bytes, counts_to_bytes
from webhooks.adapters.dynamodb.subscription_pages import SubscriptionPages
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.dynamodb.webhook_items import webhook_attributes
from webhooks.domain.webhook import make_webhook_id

TOTAL = 100_000  # sequence numbers 1 to TOTAL
PAGE = 25
LAST = TOTAL // PAGE - 1


class Meter:
    """Counts DynamoDB calls and read units, by the size of the responses."""

    def __init__(self, backend: Backend) -> None:
        self.calls = 0
        self.units = 0
        self.events = backend.clients.dynamodb.meta.events
        self.events.register("after-call.dynamodb", self._count)

    def _count(self, parsed: dict[str, Any], **_: object) -> None:
        self.calls += 1
        items = [item for batch in parsed.get("Responses", {}).values() for item in batch]
        items += [parsed["Item"]] if "Item" in parsed else []
        self.units += sum(units(item_bytes(item), READ_UNIT) for item in items)
        if "Items" in parsed:  # a query's items are rounded up together
            self.units += units(sum(map(item_bytes, parsed["Items"])), READ_UNIT)

    def close(self) -> None:
        self.events.unregister("after-call.dynamodb", self._count)

    def reset(self) -> None:
        self.calls = self.units = 0


@pytest.fixture(scope="module")
def community() -> Iterator[tuple[SubscriptionPages, Meter]]:
    with backend_named("moto") as backend:
        name = backend.table("subscriptions")
        load(backend, name)
        meter = Meter(backend)
        yield SubscriptionPages(Table(backend.clients, name, backoff=backend.backoff)), meter
        meter.close()


def load(backend: Backend, name: str) -> None:
    """Write HEAD and the bitmaps of all webhooks, and those webhooks that the tests read."""
    pk = community_pk(ACME)
    segments = [0] * (TOTAL // SEGMENT + 1)
    for sequence in range(1, TOTAL + 1):
        segments[sequence // SEGMENT] |= 1 << sequence % SEGMENT
    counts = [bits.bit_count() for bits in segments]
    items = [
        key(pk, HEAD)
        | {"version": {"N": str(TOTAL)}, "total": {"N": str(TOTAL)}, "counts": {"B": counts_to_bytes(counts)}}
    ]
    for segment, bits in enumerate(segments):
        bitmap = {"bits": {"B": bitmap_to_bytes(bits)}}
        items += [key(pk, live_sk(segment)) | bitmap, key(pk, tag_sk("blue", segment)) | bitmap]
    for sequence in (*range(1, 2 * PAGE + 1), *range(TOTAL - 2 * PAGE, TOTAL + 1)):
        webhook_id = make_webhook_id(now=NOW, sequence=sequence, random=b"abcd")
        items.append(key(pk, webhook_sk(sequence)) | webhook_attributes(make_webhook(webhook_id)))
    for item in items:
        backend.clients.dynamodb.put_item(TableName=name, Item=item)


def read(
    community: tuple[SubscriptionPages, Meter], index: int, tags: tuple[str, ...] = ()
) -> tuple[int, int, list[int]]:
    pages, meter = community
    meter.reset()
    page = pages.page(ACME, index=index, size=PAGE, tags=tags)
    assert page.total == TOTAL
    return meter.calls, meter.units, [int(webhook.id[8:16], 16) for webhook in page.webhooks]


def test_the_last_of_4000_pages_costs_as_much_as_the_first(
    community: tuple[SubscriptionPages, Meter],
) -> None:
    first_calls, first_units, first = read(community, 0)
    last_calls, last_units, last = read(community, LAST)
    assert first == list(range(TOTAL, TOTAL - PAGE, -1))
    assert last == list(range(PAGE, 0, -1))
    assert last_calls == first_calls == 3
    assert last_units <= first_units + 1 <= PAGE + 3 + 1


def test_a_page_of_a_common_tag_reads_a_few_units_more(
    community: tuple[SubscriptionPages, Meter],
) -> None:
    calls, units, webhooks = read(community, LAST, tags=("blue",))
    assert webhooks == list(range(PAGE, 0, -1))
    assert calls == 4
    assert units <= PAGE + 10


def test_a_page_past_the_end_reads_the_head_only(community: tuple[SubscriptionPages, Meter]) -> None:
    assert read(community, LAST + 1) == (1, 1, [])
    assert read(community, 10**12) == (1, 1, [])
