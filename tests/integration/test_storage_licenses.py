"""Licenses in the access table: how long a read counts, and items that cannot be read."""

from collections.abc import Iterator

import pytest

from tests.aws_stub.faulty_clients import FaultyClients, Replacement, time_out
from tests.contract.backends import Backend, backend_named
from webhooks.adapters.dynamodb.items import Item, key
from webhooks.adapters.dynamodb.licenses import TableLicenses
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.caller import AuthLevel, License, hash_license_key
from webhooks.domain.errors import UnavailableError


@pytest.fixture
def backend() -> Iterator[Backend]:
    with backend_named("moto") as opened:
        yield opened


class Access:
    def __init__(self, backend: Backend, **faults: list[Replacement]) -> None:
        self.backend = backend
        self.table = backend.table("access", sorted_by=None)
        self.clients = FaultyClients(backend.clients, **faults)
        self.licenses = TableLicenses(Table(self.clients, self.table), clock=backend.clock)

    def store(self, license_key: str, **changes: Item) -> None:
        item = {
            **key(f"license#{hash_license_key(license_key)}"),
            "authLevel": {"S": "service"},
            "tenantId": {"S": "acme"},
            "communityId": {"S": "north"},
            "disabled": {"BOOL": False},
            "label": {"S": "shop"},
            "issuedAt": {"N": "1"},
            **changes,
        }
        self.backend.clients.dynamodb.put_item(TableName=self.table, Item=item)


def test_a_disabled_license_ends_within_a_minute(backend: Backend) -> None:
    access = Access(backend)
    access.store("key")
    assert access.licenses.find("key", None) == License(AuthLevel.SERVICE, "acme", "north", label="shop")
    access.store("key", disabled={"BOOL": True})
    backend.clock.now += 61
    found = access.licenses.find("key", None)
    assert found is not None
    assert found.disabled


def test_a_license_that_is_used_again_is_not_read_again(backend: Backend) -> None:
    access = Access(backend)
    access.store("key")
    for _ in range(5):
        access.licenses.find("key", None)
        access.licenses.find("unknown", None)
    assert access.clients.calls == ["get_item"] * 2


def test_an_expired_license_is_still_there_to_be_listed(backend: Backend) -> None:
    access = Access(backend)
    access.store("key", validUntil={"N": "1"})
    found = access.licenses.find("key", None)
    assert found is not None
    assert found.expires_at == 1


@pytest.mark.parametrize(
    "changes", [{"authLevel": {"S": "king"}}, {"tenantId": {"N": "1"}}, {"validUntil": {"S": "x"}}]
)
def test_a_corrupt_license_admits_no_caller(backend: Backend, changes: dict[str, Item]) -> None:
    access = Access(backend)
    access.store("key", **changes)
    with pytest.raises(UnavailableError, match="cannot be read"):
        access.licenses.find("key", None)


def test_an_unavailable_table_admits_no_caller(backend: Backend) -> None:
    access = Access(backend, get_item=[time_out])
    access.store("key")
    with pytest.raises(UnavailableError, match="dynamodb GetItem: ReadTimeoutError"):
        access.licenses.find("key", None)


def test_no_license_key_is_stored(backend: Backend) -> None:
    assert hash_license_key("key") == "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"
