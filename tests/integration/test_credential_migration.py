"""`webhooks credentials`: both ways, cut off at each call, under tenants' changes, with broken credentials."""

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ReadTimeoutError

from tests.contract.backends import Backend, backend_named
from tests.contract.stores import assert_consistent
from tests.contract.webhooks_made import ACME
from tests.integration.backups import Deployment, calls_seen
from tests.unit.cli.command_line import CommandResult
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Credential, CredentialRef, SealedCredential, Webhook

SOUTH = Scope("acme", "south")
SCOPES = (ACME, SOUTH)
FIRST, SECOND = Credential(token="first"), Credential(token="second")
READS = frozenset(["scan", "query", "batch_get_item", "get_secret_value", "describe_secret", "list_secrets"])
WAYS = ["table", "secrets-manager"]
FORMS = {"table": SealedCredential, "secrets-manager": CredentialRef}


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def backend() -> Iterator[Backend]:
    with backend_named("moto") as opened:
        yield opened


@pytest.fixture(autouse=True)
def _one_call_at_a_time() -> Iterator[None]:
    """The transactions of moto are not isolated between threads."""
    with mock.patch("webhooks_cli.backup.work.WORKERS", 1):
        yield


@pytest.fixture
def one(backend: Backend, tmp_path: Path) -> Deployment:
    return deployed(backend, tmp_path, "one")


def deployed(backend: Backend, folder: Path, name: str, *, to: str = "table") -> Deployment:
    """Return a deployment whose credentials have the form that is moved from."""
    made = Deployment(backend, name, folder / name, seals=to != "table")
    made.command.now = time.time()
    made.add(credential=FIRST)
    made.add(credential=Credential(username="ü", password="x" * 4096), disabled=True)
    made.add(tags=("blue",))
    made.add(scope=SOUTH, credential=FIRST)
    made.seals = not made.seals
    return made


def migrate(deployment: Deployment, to: str, *more: object) -> CommandResult:
    return deployment.run("credentials", "migrate", "--to", to, "--json", *more)


def status(deployment: Deployment) -> Any:
    return deployment.run("credentials", "status", "--json").document


def webhooks(deployment: Deployment) -> list[Webhook]:
    return [each for scope in SCOPES for each in deployment.webhooks(scope)]


def tokens(deployment: Deployment) -> list[Credential | None]:
    return [each for scope in SCOPES for each in deployment.tokens(scope)]


def secrets_of(deployment: Deployment) -> list[str]:
    """Return the names of the webhooks' secrets that do not wait for their deletion."""
    pages = deployment.backend.clients.secrets.get_paginator("list_secrets").paginate()
    return [
        each["Name"]
        for page in pages
        for each in page["SecretList"]
        if each["Name"].startswith(deployment.prefix) and not each.get("DeletedDate")
    ]


def broken(result: CommandResult) -> dict[str, str]:
    return {each["webhook"]: each["reason"] for each in result.document["broken"]}


def assert_moved(deployment: Deployment, to: str) -> None:
    found = [each.credential for each in webhooks(deployment) if each.credential]
    assert {type(each) for each in found} == {FORMS[to]}
    for scope in SCOPES:
        names = ("order.created", "order.paid")
        assert_consistent(
            deployment.stores, scope, deployment.webhooks(scope), event_names=names, tags=("blue", "a#b")
        )
    named = {each.secret_name for each in found if isinstance(each, CredentialRef)}
    assert set(secrets_of(deployment)) == named


@pytest.mark.parametrize("to", WAYS)
def test_all_credentials_are_moved_and_stay_what_they_are(backend: Backend, tmp_path: Path, to: str) -> None:
    one = deployed(backend, tmp_path, "one", to=to)
    before, versions = tokens(one), one.stores[1].versions(SCOPES).by_scope
    revisions = {each.id: each.revision for each in webhooks(one)}

    moved = migrate(one, to)

    assert moved.code == 0, moved.stdout
    assert moved.document | {"youngSecrets": 0} == {
        "to": to,
        "dryRun": False,
        "moved": 3,
        "changedMeanwhile": 0,
        "deletedSecrets": 3 if to == "table" else 0,
        "youngSecrets": 0,
        "broken": [],
    }
    assert tokens(one) == before
    assert_moved(one, to)
    # And every cache of a webhook ends: its community has another version, once for each
    after = one.stores[1].versions(SCOPES).by_scope
    assert {scope: after[scope] - versions[scope] for scope in SCOPES} == {ACME: 2, SOUTH: 1}
    assert {each.id: each.revision - revisions[each.id] for each in webhooks(one)} == {
        each.id: int(each.credential is not None) for each in webhooks(one)
    }
    # And again there is nothing to do
    assert migrate(one, to).document["moved"] == 0
    assert tokens(one) == before


def test_there_and_back_again_changes_nothing_but_revisions(one: Deployment) -> None:
    before = [(each.id, each.definition) for each in webhooks(one)], tokens(one)
    for to in ("table", "secrets-manager", "table", "secrets-manager"):
        assert migrate(one, to).code == 0
        assert ([(each.id, each.definition) for each in webhooks(one)], tokens(one)) == before
    assert one.cleanup().orphans == 0
    for name in secrets_of(one):
        described = one.backend.clients.secrets.describe_secret(SecretId=name)
        assert described["KmsKeyId"] == one.key
        assert one.tags.items() <= {each["Key"]: each["Value"] for each in described["Tags"]}.items()


@pytest.mark.parametrize("exists", [False, True])
def test_the_epoch_counts_each_moved_credential_where_the_deployment_has_one(
    one: Deployment, *, exists: bool
) -> None:
    key = {"pk": {"S": "EPOCH"}, "sk": {"S": "EPOCH"}}
    one.backend.clients.dynamodb.delete_item(TableName=one.subscriptions_table, Key=key)
    if exists:
        one.put(one.subscriptions_table, {**key, "version": {"N": "7"}, "since": {"N": "1"}})
    assert migrate(one, "table").code == 0
    found = [each for each in one.items(one.subscriptions_table) if each["pk"] == key["pk"]]
    assert found == ([{**key, "version": {"N": "10"}, "since": {"N": "1"}}] if exists else [])


def test_the_status_counts_both_forms(one: Deployment) -> None:
    assert status(one) == {"sealed": 0, "secrets": 3, "written": "table"}
    one.add(credential=FIRST)
    assert status(one) == {"sealed": 1, "secrets": 3, "written": "table"}
    shown = one.run("credentials", "status")
    assert "--to table` moves the 3 others" in shown.stderr
    assert migrate(one, "table").code == 0
    assert status(one) == {"sealed": 4, "secrets": 0, "written": "table"}


def test_a_dry_run_reads_all_and_changes_nothing(one: Deployment) -> None:
    lost = next(each for each in webhooks(one) if each.credential)
    assert lost.credential is not None
    one.credentials.delete(lost.credential)
    before = one.items(one.subscriptions_table), secrets_of(one)

    tried = migrate(one, "table", "--dry-run")

    assert tried.code == 1
    assert (tried.document["moved"], list(broken(tried))) == (2, [f"acme/north/{lost.id}"])
    assert (one.items(one.subscriptions_table), secrets_of(one)) == before


def test_a_parameter_of_the_other_form_is_noticed(one: Deployment) -> None:
    shown = one.run("credentials", "migrate", "--to", "secrets-manager")
    assert shown.code == 0
    assert "set CredentialStore" in shown.stderr


@pytest.mark.parametrize(
    "text", ["no JSON: planted", '["planted"]', '{"token": 7}', '{"v": 9, "token": "planted"}']
)
def test_a_secret_that_holds_no_credential_is_named_and_the_others_go_on(one: Deployment, text: str) -> None:
    damaged = next(each for each in webhooks(one) if each.credential)
    ref = damaged.credential
    assert isinstance(ref, CredentialRef)
    made = one.backend.clients.secrets.put_secret_value(SecretId=ref.secret_name, SecretString=text)
    item = one.key_of(damaged)
    one.backend.clients.dynamodb.update_item(
        TableName=one.subscriptions_table,
        Key=item,
        UpdateExpression="SET credentialVersion = :v",
        ExpressionAttributeValues={":v": {"S": made["VersionId"]}},
    )

    moved = migrate(one, "table")

    assert moved.code == 1
    assert list(broken(moved)) == [f"acme/north/{damaged.id}"]
    assert "planted" not in moved.stdout + moved.stderr
    assert moved.document["moved"] == 2
    assert ref.secret_name in secrets_of(one)


def test_a_sealed_credential_that_does_not_open_is_named_and_the_others_go_on(
    backend: Backend, tmp_path: Path
) -> None:
    one = deployed(backend, tmp_path, "one", to="secrets-manager")
    damaged = next(each for each in webhooks(one) if each.credential)
    assert isinstance(damaged.credential, SealedCredential)
    raw = bytearray(base64.b64decode(damaged.credential.text))
    raw[-1] ^= 1
    one.backend.clients.dynamodb.update_item(
        TableName=one.subscriptions_table,
        Key=one.key_of(damaged),
        UpdateExpression="SET credentialSealed = :v",
        ExpressionAttributeValues={":v": {"S": base64.b64encode(bytes(raw)).decode()}},
    )

    moved = migrate(one, "secrets-manager")

    assert moved.code == 1
    assert list(broken(moved)) == [f"acme/north/{damaged.id}"]
    assert moved.document["moved"] == 2


def test_an_item_of_a_later_release_stays(one: Deployment) -> None:
    newer = next(each for each in webhooks(one) if each.credential)
    one.backend.clients.dynamodb.update_item(
        TableName=one.subscriptions_table,
        Key=one.key_of(newer),
        UpdateExpression="SET #v = :v",
        ExpressionAttributeNames={"#v": "v"},
        ExpressionAttributeValues={":v": {"N": "3"}},
    )
    moved = migrate(one, "table")
    assert (moved.code, moved.document["moved"]) == (1, 2)
    assert "later release" in broken(moved)[f"acme/north/{newer.id}"]


def calls_of(work: Callable[[], object]) -> list[str]:
    names: list[str] = []
    with calls_seen(before=lambda _, name: names.append(name)):
        work()
    return names


@pytest.mark.parametrize("to", WAYS)
def test_a_run_that_is_cut_off_at_any_call_is_run_again(backend: Backend, tmp_path: Path, to: str) -> None:
    calls = calls_of(lambda: migrate(deployed(backend, tmp_path, "counted", to=to), to))
    writes = [at for at, name in enumerate(calls) if name not in READS]
    assert len(writes) >= 9

    for number, at in enumerate(writes):
        one = deployed(backend, tmp_path, f"cut-{at}", to=to)
        before = tokens(one)

        def hook(call: int, _name: str, at: int = at) -> None:
            if call == at:
                raise Killed

        # When the command is killed
        with pytest.raises(Killed), calls_seen(**{("before", "after")[number % 2]: hook}):
            migrate(one, to)

        # Then every webhook has its credential
        assert tokens(one) == before, calls[at]

        # And the same command, an hour later, ends what was begun, and leaves no secret
        one.command.now += 4000 if to == "table" else 0
        again = migrate(one, to)
        assert again.code == 0, (calls[at], again.stdout)
        assert tokens(one) == before
        assert_moved(one, to)


@pytest.mark.parametrize("to", WAYS)
def test_a_lost_response_at_any_call_loses_and_leaves_nothing(
    backend: Backend, tmp_path: Path, to: str
) -> None:
    calls = calls_of(lambda: migrate(deployed(backend, tmp_path, "counted", to=to), to))
    for at in [at for at, name in enumerate(calls) if name not in READS]:
        one = deployed(backend, tmp_path, f"lost-{at}", to=to)
        before = tokens(one)

        def hook(number: int, _name: str, at: int = at) -> None:
            if number == at:
                raise ReadTimeoutError(endpoint_url="http://127.0.0.1")

        with calls_seen(after=hook):
            moved = migrate(one, to)

        assert moved.code == 0, (calls[at], moved.stdout)
        assert moved.document["moved"] == 3, calls[at]
        assert tokens(one) == before, calls[at]
        assert_moved(one, to)


def test_a_secret_that_a_run_made_long_ago_is_not_used_as_the_cleanup_may_delete_it(
    backend: Backend, tmp_path: Path
) -> None:
    one = deployed(backend, tmp_path, "one", to="secrets-manager")

    def hook(_number: int, name: str) -> None:
        if name == "create_secret":
            raise Killed

    with pytest.raises(Killed), calls_seen(after=hook):
        migrate(one, "secrets-manager")
    [left] = secrets_of(one)
    one.command.now += 2000

    assert migrate(one, "secrets-manager").code == 0

    named = {each.credential.secret_name for each in webhooks(one) if each.credential}
    assert left not in named
    assert set(secrets_of(one)) == named | {left}


ACTS = ("credential", "definition", "none", "remove")


class Tenant:
    """Changes a webhook before a call of the command. `expected`: each webhook's credential after that."""

    def __init__(self, deployment: Deployment, act: str, at: int) -> None:
        self.deployment, self.act, self.at = deployment, act, at
        found = webhooks(deployment)
        self.expected = {each.id: token for each, token in zip(found, tokens(deployment), strict=True)}
        self.target = next(each for each in found if each.credential)

    def __call__(self, number: int, _name: str) -> None:
        if number != self.at:
            return
        one, target = self.deployment, self.target.id
        now = one.subscriptions.get(ACME, target)
        assert now is not None
        assert now.credential is not None
        match self.act:
            case "credential":
                one.change_credential(now, SECOND)
                self.expected[target] = SECOND
            case "definition":
                one.change(now, name="changed by its tenant")
            case "none":
                after = replace(now, credential=None, revision=now.revision + 1)
                one.subscriptions.change(now, after, record=None)
                one.credentials.delete(now.credential)
                self.expected[target] = None
            case "remove":
                one.remove(now)
                del self.expected[target]


@pytest.mark.parametrize("to", WAYS)
def test_a_change_by_the_tenant_at_any_call_wins(backend: Backend, tmp_path: Path, to: str) -> None:
    calls = calls_of(lambda: migrate(deployed(backend, tmp_path, "counted", to=to), to))
    for at in range(len(calls)):
        one = deployed(backend, tmp_path, f"raced-{at}", to=to)
        tenant = Tenant(one, ACTS[(at + WAYS.index(to)) % len(ACTS)], at)

        with calls_seen(before=tenant):
            moved = migrate(one, to)

        assert moved.code == 0, (tenant.act, calls[at], moved.stdout)
        for _ in range(2):
            found = {each.id: token for each, token in zip(webhooks(one), tokens(one), strict=True)}
            assert found == tenant.expected, (tenant.act, calls[at])
            # And the cleanup finds only secrets that it may delete
            one.cleanup()
        if tenant.act == "definition":
            [changed] = [each for each in webhooks(one) if each.id == tenant.target.id]
            assert changed.definition.name == "changed by its tenant"


def test_the_secrets_are_deleted_two_minutes_later_and_can_be_restored(one: Deployment) -> None:
    waits: list[float] = []
    names = secrets_of(one)

    def sleep(seconds: float) -> None:
        if seconds >= 60:
            assert secrets_of(one) == names
            waits.append(seconds)

    one.command.sleep = sleep
    assert migrate(one, "table").code == 0
    assert waits == [120]
    for name in names:
        one.backend.clients.secrets.restore_secret(SecretId=name)


def test_a_young_secret_that_another_request_made_stays(one: Deployment) -> None:
    assert migrate(one, "table").code == 0
    sealed = next(each for each in webhooks(one) if each.credential)
    one.seals = False
    made = one.credentials.create(sealed.scope, sealed.id, credential=FIRST)  # its webhook comes next

    again = migrate(one, "table")

    assert (again.document["deletedSecrets"], again.document["youngSecrets"]) == (0, 1)
    assert secrets_of(one) == [made.secret_name]
    one.command.now += 4000
    assert migrate(one, "table").document["deletedSecrets"] == 1


def test_secrets_of_another_stack_of_the_name_stay(one: Deployment, backend: Backend) -> None:
    foreign = Deployment(backend, "one", one.folder / "foreign", number=2)
    kept = foreign.add(credential=FIRST).credential
    assert kept is not None
    one.command.now += 4000
    assert migrate(one, "table").code == 0
    assert secrets_of(one) == [kept.secret_name]


def test_the_rate_is_held(one: Deployment) -> None:
    waits: list[float] = []
    one.command.sleep = waits.append
    assert migrate(one, "table", "--rate", "1").code == 0
    assert sum(each for each in waits if each < 60) >= 2
    for wrong in ("0", "41", "x", "1.5"):
        assert migrate(one, "table", "--rate", wrong).code == 2
