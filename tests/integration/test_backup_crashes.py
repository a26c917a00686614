"""`webhooks backup` cut off at each of its calls, and backups that are taken while callers change webhooks."""

from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import pytest

from tests.contract.backends import Backend, backend_named
from tests.contract.stores import assert_consistent
from tests.contract.webhooks_made import ACME
from tests.integration.backups import Backups, Deployment, calls_seen
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Credential, Webhook

SOUTH = Scope("acme", "south")
FIRST, SECOND = Credential(token="first"), Credential(token="second")
READS = frozenset(
    ["scan", "query", "batch_get_item", "get_secret_value", "describe_secret", "describe_stacks"]
)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def backend() -> Iterator[Backend]:
    with backend_named("moto") as opened:
        yield opened


@pytest.fixture
def backups(tmp_path: Path) -> Backups:
    return Backups(tmp_path)


def deployed(backend: Backend, folder: Path) -> Deployment:
    made = Deployment(backend, "one", folder / "one")
    first = made.add(credential=FIRST)
    made.add(scope=SOUTH, tags=("blue",))
    made.add(credential=FIRST, disabled=True)
    made.change_credential(first, SECOND)
    made.license("aa")
    return made


def calls_of(work: Callable[[], object]) -> list[str]:
    """Return the names of the calls of a command that goes well."""
    names: list[str] = []
    with calls_seen(before=lambda _, name: names.append(name)):
        work()
    return names


def killer(at: int) -> Callable[[int, str], None]:
    def hook(number: int, _name: str) -> None:
        if number == at:
            raise Killed

    return hook


def test_a_backup_that_is_cut_off_leaves_no_file(backend: Backend, tmp_path: Path, backups: Backups) -> None:
    one = deployed(backend, tmp_path)
    calls = calls_of(lambda: backups.create(one, "whole.age"))
    before = sorted(each.name for each in tmp_path.iterdir())

    for at in range(len(calls)):
        with pytest.raises(Killed), calls_seen(before=killer(at)):
            backups.create(one, "cut.age")
        assert sorted(each.name for each in tmp_path.iterdir()) == before, calls[at]


def test_a_restore_that_is_cut_off_at_any_call_is_run_again_and_loses_no_credential(
    backend: Backend, tmp_path: Path, backups: Backups
) -> None:
    one = deployed(backend, tmp_path)
    backups.create(one, "a.age")
    calls = calls_of(lambda: backups.restore(Deployment(backend, "two", tmp_path / "two"), "a.age"))
    writes = [at for at, name in enumerate(calls) if name not in READS]
    assert len(writes) > 12

    for number, at in enumerate(writes, start=3):
        two = Deployment(backend, f"target-{number}", tmp_path / f"target-{number}")
        when = {"before" if number % 2 else "after": killer(at)}
        # When the command is killed
        with pytest.raises(Killed), calls_seen(**when):
            backups.restore(two, "a.age")

        # Then the orphan cleanup, which may run now, deletes nothing
        result = two.cleanup()
        assert result.deleted == 0, calls[at]
        began, ended = writes[0] < at or "after" in when, at == writes[-1] and "after" in when
        assert two.subscriptions.is_restoring() is (began and not ended), calls[at]
        assert result.orphans == 0 or result.stopped is not None

        # And the same command ends the restore
        again = backups.restore(two, "a.age")
        assert again.code == 0, (calls[at], again.stdout)
        assert again.document["same"]
        assert two.state() == one.state(), calls[at]
        assert two.tokens() == one.tokens()
        assert two.cleanup().orphans == 0


def test_an_overwrite_that_is_cut_off_is_run_again(
    backend: Backend, tmp_path: Path, backups: Backups
) -> None:
    one = deployed(backend, tmp_path)
    backups.create(one, "a.age")

    def target(name: str) -> Deployment:
        made = Deployment(backend, name, tmp_path / name)
        made.add(credential=FIRST, event_names=("order.paid", "red"), tags=("red",))
        made.add(scope=Scope("acme", "west"), tags=("red",))
        return made

    def overwrite(two: Deployment) -> object:
        return backups.restore(two, "a.age", "--overwrite", two.subscriptions_table)

    calls = calls_of(lambda: overwrite(target("two")))
    for number, at in enumerate([at for at, name in enumerate(calls) if name not in READS], start=3):
        two = target(f"target-{number}")
        with pytest.raises(Killed), calls_seen(after=killer(at)):
            overwrite(two)
        two.cleanup()

        again = backups.restore(two, "a.age", "--overwrite", two.subscriptions_table)

        assert again.code == 0, (calls[at], again.stdout)
        for scope in (ACME, SOUTH, Scope("acme", "west")):
            found = two.webhooks(scope)
            assert [each.id for each in found] == [each.id for each in one.webhooks(scope)], calls[at]
            names = ("order.created", "order.paid", "red")
            assert_consistent(two.stores, scope, found, event_names=names, tags=("red", "blue", "a#b"))
        assert two.tokens() == one.tokens()


def test_a_target_that_callers_change_meanwhile_is_not_declared_restored(
    backend: Backend, tmp_path: Path, backups: Backups
) -> None:
    one = deployed(backend, tmp_path)
    backups.create(one, "a.age")
    two = Deployment(backend, "two", tmp_path / "two")
    added: list[Webhook] = []

    def add(_number: int, name: str) -> None:
        if name == "put_item" and not added:  # that of HEAD
            added.append(two.add())

    with calls_seen(before=add):
        refused = backups.restore(two, "a.age")

    assert refused.code == 1
    assert "changed while they were restored" in refused.document["error"]
    # Nothing was lost: the next run refuses to end the new webhook
    again = backups.restore(two, "a.age")
    assert again.code == 1
    assert added[0].id in again.document["error"]


def test_a_backup_under_changes_is_restored_with_an_index_that_agrees(
    backend: Backend, tmp_path: Path, backups: Backups
) -> None:
    one = deployed(backend, tmp_path)
    acts = cycle(["add", "change", "credential", "remove", "disable"])

    def change(number: int, _name: str) -> None:
        """Do as a caller does, before each call of the backup."""
        scope = (ACME, SOUTH)[number % 2]
        webhooks = one.webhooks(scope)
        act = next(acts)
        if act == "add" or not webhooks:
            one.add(scope=scope, credential=(FIRST, None)[number % 3 == 0], tags=("blue",))
        elif act == "remove":
            one.remove(webhooks[-1])
        elif act == "credential" and webhooks[0].credential:
            one.change_credential(webhooks[0], Credential(token=f"token {number}"))
        else:
            one.change(webhooks[0], event_names=(f"order.{number % 4}",), disabled=act == "disable")

    with calls_seen(before=change):
        created = backups.create(one, "a.age")
    assert created.code == 0, created.stdout
    assert created.document["withoutCredential"] == []
    two = Deployment(backend, "two", tmp_path / "two")

    restored = backups.restore(two, "a.age")

    assert restored.code == 0, restored.stdout
    assert restored.document["same"]
    names = ("order.created", "order.paid", "order.0", "order.1", "order.2", "order.3")
    found = 0
    for scope in (ACME, SOUTH):
        webhooks = two.webhooks(scope)
        found += len(webhooks)
        assert_consistent(two.stores, scope, webhooks, event_names=names, tags=("blue", "a#b"))
        assert len(two.tokens(scope)) == len(webhooks)  # each credential can be read
        added = two.add(scope=scope)
        assert added.id not in {each.id for each in webhooks}
    assert found == restored.document["webhooks"] > 0
