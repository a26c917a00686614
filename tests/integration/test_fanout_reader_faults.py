"""The first read of fan-out where DynamoDB fails: no version waits for the table of the marks."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.aws_stub.faulty_clients import FaultyClients, Replacement, fail, forever, time_out, works
from tests.contract.backends import Backend, backend_named
from tests.contract.webhooks_made import ACME
from webhooks.adapters.dynamodb.fanout_reader import APART_SECONDS, DynamoFanoutReader
from webhooks.adapters.dynamodb.items import key
from webhooks.adapters.dynamodb.keys import HEAD, community_pk
from webhooks.adapters.dynamodb.seen_events import DynamoSeenEvents, window_key
from webhooks.adapters.dynamodb.subscription_index import DynamoSubscriptionIndex
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.errors import UnavailableError

ONE = bytes(8)
SUBSCRIPTIONS, DELIVERIES = "subscriptions", "deliveries"


@pytest.fixture
def backend() -> Iterator[Backend]:
    with backend_named("moto") as opened:
        yield opened


class Opened:
    """A reader with faults, upon a community of version 7 and a window with one mark."""

    def __init__(self, backend: Backend, *faults: Replacement) -> None:
        tables = {name: backend.table(name) for name in (SUBSCRIPTIONS, DELIVERIES)}
        self.deliveries = tables[DELIVERIES]
        head = key(community_pk(ACME), HEAD) | {"version": {"N": "7"}}
        backend.clients.dynamodb.put_item(TableName=tables[SUBSCRIPTIONS], Item=head)
        DynamoSeenEvents(Table(backend.clients, self.deliveries), days=1, clock=backend.clock).add(
            "a", [ONE], below=90
        )
        self.backend = backend
        self.clients = FaultyClients(backend.clients, batch_get_item=list(faults))
        webhooks, marks = (Table(self.clients, name, backoff=backend.backoff) for name in tables.values())
        index = DynamoSubscriptionIndex(webhooks, clock=backend.clock)
        self.reader = DynamoFanoutReader(index, webhooks, marks, clock=backend.clock)

    def read(self) -> tuple[int, dict[str, set[bytes]]]:
        context = self.reader.read([ACME], ["a", "b"])
        return context.versions.by_scope[ACME], {name: set(each) for name, each in context.windows.items()}

    def leave_unprocessed(self, *names: str) -> Replacement:
        """Return a call that leaves the keys of tables unprocessed, by the begins of their names."""

        def left(real: Callable[..., Any], request: Mapping[str, Any]) -> dict[str, Any]:
            asked = request["RequestItems"]
            rest = {table: each for table, each in asked.items() if table.startswith(names)}
            taken = {table: each for table, each in asked.items() if table not in rest}
            response = real(RequestItems=taken) if taken else {"Responses": {}}
            return {**response, "UnprocessedKeys": rest}

        return left


def test_versions_and_windows_take_one_call(backend: Backend) -> None:
    opened = Opened(backend)
    assert opened.read() == (7, {"a": {ONE}, "b": set()})
    assert opened.clients.calls == ["batch_get_item"]


def test_windows_that_are_left_unprocessed_are_left_out_and_not_waited_for(backend: Backend) -> None:
    opened = Opened(backend)
    opened.clients.replacements["batch_get_item"] = [opened.leave_unprocessed(DELIVERIES)]
    assert opened.read() == (7, {})
    assert opened.clients.calls == ["batch_get_item"]
    assert opened.read() == (7, {"a": {ONE}, "b": set()})


def test_versions_that_are_left_unprocessed_are_read_again(backend: Backend) -> None:
    opened = Opened(backend)
    opened.clients.replacements["batch_get_item"] = [opened.leave_unprocessed(SUBSCRIPTIONS)] * 3
    assert opened.read() == (7, {"a": {ONE}, "b": set()})
    opened.clients.replacements["batch_get_item"] = forever(opened.leave_unprocessed(SUBSCRIPTIONS))
    with pytest.raises(UnavailableError):
        opened.read()


@pytest.mark.parametrize(
    "fault", [fail("AccessDeniedException"), fail("ResourceNotFoundException"), time_out]
)
def test_an_error_lets_versions_be_read_alone_for_a_while(fault: Replacement, backend: Backend) -> None:
    """Both tables are asked in a call that fails where one of them refuses."""
    opened = Opened(backend, fault)
    assert opened.read() == (7, {})
    assert len(opened.clients.calls) == 2
    backend.clock.now += APART_SECONDS - 1
    assert opened.read() == (7, {})
    assert len(opened.clients.calls) == 3
    backend.clock.now += 1
    assert opened.read() == (7, {"a": {ONE}, "b": set()})
    assert len(opened.clients.calls) == 4


def test_where_versions_fail_too_the_read_is_unavailable(backend: Backend) -> None:
    opened = Opened(backend, time_out, time_out, works)
    with pytest.raises(UnavailableError):
        opened.read()
    assert opened.read() == (7, {})


def test_a_window_of_a_later_form_is_left_out(backend: Backend) -> None:
    opened = Opened(backend)
    item = {**window_key("b"), "v": {"N": "99"}, "hashes": {"BS": [ONE]}}
    backend.clients.dynamodb.put_item(TableName=opened.deliveries, Item=item)
    assert opened.read() == (7, {"a": {ONE}})
