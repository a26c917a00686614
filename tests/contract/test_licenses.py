"""The contract of Licenses; the items are as the operator's command writes them."""

from dataclasses import asdict

import pytest

from tests.contract.backends import Backend
from tests.fakes.licenses import FakeLicenses
from webhooks.adapters.dynamodb.licenses import TableLicenses
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.caller import AuthLevel, License
from webhooks.domain.scope import Scope
from webhooks.ports import Licenses
from webhooks_cli.aws import Account as OperatorAccount
from webhooks_cli.license import License as IssuedLicense
from webhooks_cli.register import LicenseRegister

SYSTEM = License(AuthLevel.SYSTEM, label="ops")
SHOP = License(AuthLevel.SERVICE, "acme", "north", expires_at=1_800_000_000, disabled=True, label="shop")


class Account(OperatorAccount):
    def __init__(self, backend: Backend, table: str) -> None:
        self.dynamodb = backend.clients.dynamodb
        self.table = table

    def find(self, name: str) -> str:
        assert name == "accessTable"
        return self.table


class Access:
    """Licenses to find, and a way to issue them."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.licenses: Licenses
        if backend.aws is None:
            self.memory = FakeLicenses()
            self.licenses = self.memory
            return
        name = backend.table("access", sorted_by=None)
        self.register = LicenseRegister(Account(backend, name))
        self.licenses = TableLicenses(Table(backend.aws, name), clock=backend.clock)

    def issue(self, key: str, license_: License) -> None:
        if self.backend.aws is None:
            self.memory.issue(key, license_)
        else:
            self.register.issue(key, IssuedLicense(**asdict(license_)), now=1)


@pytest.fixture
def access(backend: Backend) -> Access:
    return Access(backend)


def test_a_license_is_found_by_its_key(access: Access) -> None:
    access.issue("key ä", SYSTEM)
    access.issue("other", SHOP)
    assert access.licenses.find("key ä", None) == SYSTEM
    assert access.licenses.find("other", Scope("acme", "north")) == SHOP
    assert access.licenses.find("other", Scope("other", "elsewhere")) == SHOP


@pytest.mark.parametrize("key", ["", "unknown", "\ud800", "license#"])
def test_a_license_that_was_never_issued_is_not_found(access: Access, key: str) -> None:
    access.issue("key", SYSTEM)
    assert access.licenses.find(key, None) is None


def test_a_license_works_within_seconds_of_its_issue(access: Access) -> None:
    assert access.licenses.find("key", None) is None
    access.issue("key", SYSTEM)
    access.backend.clock.now += 6
    assert access.licenses.find("key", None) == SYSTEM
