"""The shards of the delivery log: no partition takes more than a part of a webhook's deliveries."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Barrier
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.aws_stub.responses import stub_aws
from tests.aws_stub.tables import Tables
from tests.contract.logged import NORTH, OTHER, TIME, WEBHOOK, entry
from tests.contract.opened_log import OpenedLog, open_stub_log
from tests.lambda_functions import ACCOUNT
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.delivery_log_items import entry_item, item_key
from webhooks.adapters.dynamodb.delivery_log_reader import DynamoDeliveryLogReader
from webhooks.adapters.dynamodb.log_partitions import SHARDS, log_partitions, shard_of, webhook_id_in
from webhooks.adapters.dynamodb.merged_rows import READERS
from webhooks.domain.delivery import delivery_id
from webhooks.domain.delivery_log import LogEntry, LogQuery, Outcome, log_key_of
from webhooks.domain.webhook import has_shards, make_webhook_id

HOT = 3000  # deliveries of a webhook in a second
PARTITION = 1000  # write units that DynamoDB takes of a partition in a second
BUSY = 850  # a shard's part of HOT, and four standard deviations


@contextmanager
def opened(tables: Tables) -> Iterator[OpenedLog]:
    with mock.patch.dict("os.environ", ACCOUNT):
        yield open_stub_log(tables)


def a_second(outcome: Outcome, webhook_id: str, when: Callable[[int], int]) -> list[LogEntry]:
    return [
        entry(number, outcome, webhook_id=webhook_id, event_id=f"event {number}", log_time=when(number))
        for number in range(HOT)
    ]


def busiest(tables: Tables) -> int:
    """Return the most write units that a partition of the log or of an index took; payloads have their own."""
    return max(units for (_, pk), units in tables.written.items() if not pk.startswith("P#"))


@pytest.mark.parametrize(
    ("outcomes", "when"),
    [
        ((Outcome.HELD, Outcome.DELIVERED), lambda number: TIME + number // 3),
        ((Outcome.RETRYING, Outcome.DEAD), lambda _: TIME),
        ((Outcome.DELIVERED, Outcome.DELIVERED), lambda _: 0),
    ],
)
def test_3000_deliveries_a_second_are_too_many_for_no_partition(
    outcomes: tuple[Outcome, ...], when: Callable[[int], int]
) -> None:
    tables = Tables()
    with opened(tables) as log:
        for outcome in outcomes:
            tables.written.clear()
            assert log.record(a_second(outcome, WEBHOOK, when)) == []
            assert HOT // SHARDS < busiest(tables) <= BUSY < PARTITION
            of_log = (units for (_, pk), units in tables.written.items() if pk.startswith("W#"))
            assert sum(of_log) == HOT


def test_a_webhook_of_before_has_one_partition() -> None:
    tables = Tables()
    with opened(tables) as log:
        log.record(a_second(Outcome.HELD, OTHER, lambda number: TIME + number))
    assert {pk for table, pk in tables.written if table != "deliveries" or pk.startswith("W#")} == {
        f"W#{OTHER}",
        f"{OTHER}#held",
        "acme#north#held",
    }


@given(st.text(min_size=1, max_size=20), st.integers(0, 2**48 - 1), st.sampled_from((WEBHOOK, OTHER)))
def test_an_id_alone_is_the_key_of_its_item(event_id: str, log_time: int, webhook_id: str) -> None:
    made = entry(0, Outcome.HELD, webhook_id=webhook_id, event_id=event_id, log_time=log_time)
    found = log_key_of(delivery_id(event_id, webhook_id, log_time=log_time))
    assert found == made.key
    item = entry_item(made, 30)
    assert item_key(found) == (item["pk"]["S"], item["sk"]["S"])
    assert item["pk"]["S"] in log_partitions(webhook_id)
    assert webhook_id_in(item["pk"]["S"]) == webhook_id
    ends = {item[name]["S"].rpartition("held")[2] for name in ("undeliveredOf", "undeliveredIn")}
    assert ends == {item["pk"]["S"].removeprefix(f"W#{webhook_id}")}


@given(
    st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**32 - 1)), min_size=2, max_size=9),
    st.binary(min_size=4, max_size=4),
)
def test_a_new_webhook_has_shards_and_is_sorted_behind_those_of_before(
    made: list[tuple[int, int]], random: bytes
) -> None:
    ids = [make_webhook_id(now=now, sequence=sequence, random=random) for now, sequence in sorted(made)]
    assert ids == sorted(ids)
    assert all(map(has_shards, ids))
    assert not has_shards(f"{2**31 - 1:08x}0000000100000000")
    assert len(log_partitions(ids[0])) == SHARDS


@pytest.mark.parametrize("read", ["newest", "oldest"])
def test_a_page_is_whole_where_one_shard_has_all_of_it(read: str) -> None:
    """Deliveries of one shard are together in time, with others far before and after them."""
    numbers = range(400)
    of_one = [
        each
        for each in (entry(number, Outcome.HELD) for number in numbers)
        if shard_of(each.key.delivery_id) == 1
    ]
    others = [entry(number, Outcome.HELD) for number in (*range(-50, -1), *range(500, 550))]
    tables = Tables()
    with opened(tables) as log:
        log.record([*of_one, *others])
        expected = sorted((each.key.delivery_id for each in [*of_one, *others]), reverse=read == "newest")
        for query in (
            LogQuery(NORTH, WEBHOOK),
            LogQuery(NORTH, WEBHOOK, Outcome.HELD),
            LogQuery(NORTH, None),
        ):
            found, after, most = list[str](), None, 0.0
            while True:
                before = tables.cost(lambda: 1)
                page = None

                def work(query: LogQuery = query, after: object = after) -> int:
                    nonlocal page
                    page = getattr(log.reads, read)(query, after=after, size=25)
                    return 1

                most = max(most, tables.cost(work).read_units - before.read_units)
                assert page is not None
                found += [each.key.delivery_id for each in page.entries]
                after = page.last
                if after is None:
                    break
            assert found == expected
            assert most <= 25 + 16


def test_shards_are_read_at_the_same_time() -> None:
    """Each of the first reads responds only when as many as READERS have begun."""
    together, first = Barrier(READERS, timeout=10), iter(range(READERS))

    def response(_operation: str, body: bytes) -> bytes:
        assert json.loads(body)["IndexName"] == "webhookUndelivered"
        if next(first, None) is not None:
            together.wait()
        return b'{"Items":[],"Count":0,"ScannedCount":0}'

    with mock.patch.dict("os.environ", ACCOUNT):
        aws = AwsClients(time_left=lambda: math.inf)
        stub_aws(aws, response)
        reads = DynamoDeliveryLogReader(aws, "deliveries")
        page = reads.newest(LogQuery(NORTH, WEBHOOK, Outcome.HELD), after=None, size=25)
    assert page.entries == ()
