"""`webhooks backup`: a restored deployment is the one that was backed up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.backends import Backend, backend_named
from tests.contract.webhooks_made import ACME
from tests.integration.backups import Backups, Deployment
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Credential

NORTH, SOUTH = ACME, Scope("acme", "south")
FIRST, SECOND = Credential(token="first"), Credential(username="ü", password="second")


@pytest.fixture
def backend() -> Iterator[Backend]:
    with backend_named("moto") as opened:
        yield opened


@pytest.fixture
def one(backend: Backend, tmp_path: Path) -> Deployment:
    """A deployment with webhooks of all kinds, licenses and keys."""
    made = Deployment(backend, "one", tmp_path / "one")
    first = made.add(credential=FIRST)
    made.add(disabled=True)
    second = made.add(credential=SECOND, paused=True, tags=("blue", "green"))
    made.remove(made.add(credential=FIRST))
    made.change(first, event_names=("order.paid", "order.lost"), tags=())
    made.change_credential(second, FIRST)
    made.add(scope=SOUTH, credential=SECOND)
    made.license("aa")
    made.license("bb", disabled={"BOOL": True})
    made.put_secret("serviceKeysSecret", {"seed": "s", "keys": [{"pair": "p", "since": 5, "until": None}]})
    return made


@pytest.fixture
def two(backend: Backend, tmp_path: Path) -> Deployment:
    return Deployment(backend, "two", tmp_path / "two")


@pytest.fixture
def backups(tmp_path: Path) -> Backups:
    return Backups(tmp_path)


def test_a_restored_deployment_is_the_one_that_was_backed_up(
    one: Deployment, two: Deployment, backups: Backups
) -> None:
    created = backups.create(one, "a.age")
    assert created.code == 0, created.stderr
    assert created.document["counts"] == {"access": 2, "community": 2, "webhook": 4}

    restored = backups.restore(two, "a.age")
    assert restored.code == 0, restored.stdout + restored.stderr
    assert restored.document["same"]
    assert restored.document["contents"] == created.document["contents"]
    assert two.state() == one.state()
    assert two.tokens() == one.tokens()
