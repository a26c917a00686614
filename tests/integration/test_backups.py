"""`webhooks backup`: a restored deployment is the one that was backed up."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tests.contract.backends import Backend, backend_named
from tests.contract.stores import assert_consistent
from tests.contract.webhooks_made import ACME
from tests.integration.backups import Backups, Deployment, calls_seen
from webhooks.adapters.dynamodb.epoch import RELIABLE_AFTER
from webhooks.adapters.dynamodb.keys import EPOCH
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.domain.errors import CredentialMissingError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Credential, Criteria
from webhooks_cli.aws import KEY_OF_AWS
from webhooks_cli.credentials.seal import CredentialSeal

NORTH, SOUTH = ACME, Scope("acme", "south")
SECRET_OPTIONS = {
    "serviceKeysSecret": "--service-keys-secret",
    "signingKeysSecret": "--signing-keys-secret",
    "webhookMasterSecret": "--webhook-master-secret",
}
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


def test_a_backup_is_a_private_file_that_shows_nothing(one: Deployment, backups: Backups) -> None:
    assert backups.create(one, "a.age").code == 0

    path = backups.folder / "a.age"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes().startswith(b"age-encryption.org/v1\n")
    assert b"first" not in path.read_bytes()
    assert [each.name for each in backups.folder.glob(".a.age*")] == []
    assert backups.identity.stat().st_mode & 0o777 == 0o600


def test_a_backup_overwrites_no_file(one: Deployment, backups: Backups) -> None:
    backups.create(one, "a.age")
    before = (backups.folder / "a.age").read_bytes()

    again = backups.create(one, "a.age")

    assert again.code == 2
    assert "exists already" in again.stderr
    assert (backups.folder / "a.age").read_bytes() == before


def test_show_reads_what_create_counted(one: Deployment, backups: Backups) -> None:
    created = backups.create(one, "a.age").document

    shown = backups.show(one, "a.age").document

    assert shown.items() <= created.items()
    assert shown["parameters"] == {"EcCurveName": "secp256k1"}
    assert shown["stack"] == "one"


def test_the_delivery_log_is_restored_where_the_backup_has_it(
    one: Deployment, two: Deployment, backups: Backups
) -> None:
    def delivery(name: str, expires_at: int) -> dict[str, Any]:
        key = {"pk": {"S": "W#w"}, "sk": {"S": name}}
        return {
            **key,
            "expiresAt": {"N": str(expires_at)},
            "raw": {"B": b"\0\xff"},
            "set": {"BS": [b"a", b"b"]},
        }

    one.put(
        one.deliveries_table, *(delivery(f"{number:04}", int(one.command.now) + 9) for number in range(250))
    )
    one.put(one.deliveries_table, delivery("expired", int(one.command.now) - 9))
    assert "delivery" not in backups.create(one, "without.age").document["counts"]
    assert backups.create(one, "with.age", "--with-deliveries").document["counts"]["delivery"] == 250

    assert backups.restore(two, "with.age").code == 0

    assert two.items(two.deliveries_table) == one.items(one.deliveries_table)[:250]


def test_a_restored_table_is_backed_up_in_place_of_the_stacks(
    one: Deployment, two: Deployment, backups: Backups
) -> None:
    options = ["--subscriptions-table", one.subscriptions_table, "--access-table", one.access_table]
    options += [part for name, option in SECRET_OPTIONS.items() for part in (option, one.secrets[name])]

    assert backups.create(two, "a.age", *options).code == 0

    assert backups.restore(two, "a.age").code == 0
    assert two.state() == one.state()


def test_other_webhooks_are_overwritten_only_when_their_table_is_named(
    one: Deployment, two: Deployment, backups: Backups
) -> None:
    backups.create(one, "a.age")
    two.add(credential=SECOND, tags=("red",), event_names=("order.paid", "order.red"))
    two.add(scope=Scope("acme", "west"), event_names=("west",))
    before = two.state()

    refused = backups.restore(two, "a.age")

    assert refused.code == 1
    assert f"--overwrite {two.subscriptions_table}" in refused.document["error"]
    assert "has 2 webhooks" in refused.document["error"]
    assert "of acme/west" in refused.document["error"]
    assert backups.restore(two, "a.age", "--overwrite", one.subscriptions_table).code == 2
    assert backups.restore(two, "a.age", "--dry-run", "--overwrite", two.subscriptions_table).code == 0
    assert two.state() == before

    done = backups.restore(two, "a.age", "--overwrite", two.subscriptions_table)
    assert done.code == 0, done.stdout
    assert (done.document["webhooks"], done.document["removed"]) == (4, 2)
    names = ("order.created", "order.paid", "order.lost", "order.red", "west")
    for scope in (NORTH, SOUTH, Scope("acme", "west")):
        expected = one.webhooks(scope)
        found = two.webhooks(scope)
        assert [each.id for each in found] == [each.id for each in expected]
        assert_consistent(two.stores, scope, found, event_names=names, tags=("red", "blue", "green", "a#b"))
    # No cache of fan-out knows the versions that the communities have now
    assert two.stores[1].versions([NORTH]).by_scope[NORTH] > 1


def test_a_restore_deletes_the_entries_under_conditions_of_what_it_replaces(
    backend: Backend, tmp_path: Path, one: Deployment, backups: Backups
) -> None:
    backups.create(one, "a.age")
    two = Deployment(backend, "two", tmp_path / "two")
    two.subscriptions.next_epoch()
    backend.clock.now += RELIABLE_AFTER
    two.subscriptions = DynamoSubscriptions(
        backend.clients,
        Tables(two.subscriptions_table, two.access_table),
        clock=backend.clock,
        random_bytes=backend.random_bytes,
        backoff=backend.backoff,
        plain_listeners=0,
    )
    two.add(query=({"a": 1}, {"b": 2}), event_names=("order.paid", "order.other"), criteria=Criteria.ANY)
    under = [item for item in two.items(two.subscriptions_table) if item["pk"]["S"].startswith("E##")]
    assert len(under) == 2 * 3
    [counted] = [item for item in two.items(two.subscriptions_table) if item["pk"] == EPOCH["pk"]]

    done = backups.restore(two, "a.age", "--overwrite", two.subscriptions_table)

    assert done.code == 0, done.stdout
    assert not [item for item in two.items(two.subscriptions_table) if item["pk"]["S"].startswith("E##")]
    assert two.stores[1].last_sequence(NORTH, "order.other") == 0
    [epoch] = [item for item in two.items(two.subscriptions_table) if item["pk"] == EPOCH["pk"]]
    assert int(epoch["version"]["N"]) > int(counted["version"]["N"])


def test_a_restore_begins_no_count_that_functions_of_an_earlier_release_would_not_go_on_with(
    backend: Backend, tmp_path: Path, one: Deployment, backups: Backups
) -> None:
    backups.create(one, "a.age")
    two = Deployment(backend, "two", tmp_path / "two")
    assert backups.restore(two, "a.age").code == 0
    assert not [item for item in two.items(two.subscriptions_table) if item["pk"] == EPOCH["pk"]]


def test_webhooks_that_changed_since_are_not_set_back_unasked(one: Deployment, backups: Backups) -> None:
    backups.create(one, "a.age")
    [newest, *_] = one.webhooks()
    one.change(newest, name="changed")

    refused = backups.restore(one, "a.age")

    assert refused.code == 1
    assert newest.id in refused.document["error"]
    assert one.webhooks()[0].definition.name == "changed"
    assert backups.restore(one, "a.age", "--overwrite", one.subscriptions_table).code == 0
    assert one.webhooks() == [newest, *one.webhooks()[1:]]


def test_a_deleted_credential_comes_back_and_nothing_else_changes(one: Deployment, backups: Backups) -> None:
    tokens = one.tokens()
    backups.create(one, "a.age")
    lost = next(webhook.credential for webhook in one.webhooks() if webhook.credential)
    one.credentials.delete(lost)
    before = one.items(one.access_table), one.stores[1].versions([SOUTH]).by_scope

    restored = backups.restore(one, "a.age")

    assert restored.code == 0, restored.stdout
    assert one.tokens() == tokens
    assert (one.items(one.access_table), one.stores[1].versions([SOUTH]).by_scope) == before


def test_lost_credentials_come_back_although_webhooks_were_changed_since(
    one: Deployment, backups: Backups
) -> None:
    backups.create(one, "a.age")
    paused, first = (each for each in one.webhooks() if each.credential)
    one.change(paused, name="changed since")
    changed = one.change_credential(first, Credential(token="newer"))
    added = one.add(credential=SECOND)
    deleted = (paused.credential, added.credential)
    for ref in deleted:
        assert ref is not None
        one.credentials.delete(ref)
    webhooks, versions = one.webhooks(), one.stores[1].versions([NORTH, SOUTH]).by_scope

    restored = backups.restore(one, "a.age", "--credentials-only")

    assert restored.code == 0, restored.stdout
    assert restored.document == {
        "lookedAt": 2,
        "restored": [paused.id],
    }  # it and SOUTH's name the backup's version
    found = {each.id: each for each in one.webhooks()}
    assert list(found) == [each.id for each in webhooks]
    assert found[paused.id].definition.name == "changed since"
    assert found[changed.id] == changed
    read = found[paused.id].credential
    assert read is not None
    assert one.credentials.read(read) == FIRST
    assert one.stores[1].versions([NORTH, SOUTH]).by_scope == versions
    # And nothing is left to do
    assert backups.restore(one, "a.age", "--credentials-only").document["restored"] == []


def test_a_credential_that_waits_for_its_deletion_is_used_again(one: Deployment, backups: Backups) -> None:
    tokens = one.tokens()
    backups.create(one, "a.age")
    for name in one.credential_names():
        one.backend.clients.secrets.delete_secret(SecretId=name, RecoveryWindowInDays=30)

    assert backups.restore(one, "a.age").code == 0

    assert one.tokens() == tokens


def test_secrets_that_a_deleted_stack_left_get_the_key_and_the_tags_of_the_new_one(
    one: Deployment, backend: Backend, tmp_path: Path, backups: Backups
) -> None:
    backups.create(one, "a.age")
    again = Deployment(backend, "one", tmp_path / "again", number=2)

    assert backups.restore(again, "a.age").code == 0

    assert again.tokens() == one.tokens()
    for name in again.credential_names():
        described = backend.clients.secrets.describe_secret(SecretId=name)
        assert described["KmsKeyId"] == again.key
        assert again.tags.items() <= {each["Key"]: each["Value"] for each in described["Tags"]}.items()


def test_a_stack_with_a_key_is_restored_into_one_without(
    one: Deployment, backend: Backend, tmp_path: Path, backups: Backups
) -> None:
    """The only way from EncryptionKey=Customer to AwsOwned; and what a stack of the first left is used again."""
    created = backups.create(one, "a.age")
    for name in ("two", "one"):
        owned = Deployment(backend, name, tmp_path / f"owned-{name}", number=3, has_key=False)
        for _ in range(2):  # a repeat changes nothing
            restored = backups.restore(owned, "a.age")
            assert restored.code == 0, restored.stdout + restored.stderr
            assert restored.document["contents"] == created.document["contents"]
        assert owned.tokens() == one.tokens()
        for secret in owned.credential_names():
            described = backend.clients.secrets.describe_secret(SecretId=secret)
            assert described.get("KmsKeyId", KEY_OF_AWS) == KEY_OF_AWS


def test_a_stack_with_three_seeds_is_restored_into_one_with_one_seed_and_back(
    one: Deployment, backend: Backend, tmp_path: Path, backups: Backups
) -> None:
    """The only way from SeedSecrets=Separate to One, and from One to Separate: the keys go along."""
    states: dict[str, Any] = {
        "serviceKeysSecret": {"seed": "s", "keys": [{"pair": "p", "since": 5, "until": None}]},
        "signingKeysSecret": {"seed": "t"},
        "webhookMasterSecret": {"seed": "m"},
    }
    for name, state in states.items():
        one.put_secret(name, state)
    created = backups.create(one, "a.age")
    two = Deployment(backend, "two", tmp_path / "two-seeds", number=4, has_one_seed=True)
    for _ in range(2):  # a repeat changes nothing
        restored = backups.restore(two, "a.age")
        assert restored.code == 0, restored.stdout + restored.stderr
        assert restored.document["contents"] == created.document["contents"]
    assert json.loads(two.secret("serviceKeysSecret")) == {
        "parts": {"service": states["serviceKeysSecret"], "signing": {"seed": "t"}, "master": {"seed": "m"}},
        "seed": "two seeds",
    }

    three = Deployment(backend, "three", tmp_path / "three-seeds", number=5)
    again = backups.create(two, "b.age")
    assert again.code == 0, again.stdout + again.stderr
    restored = backups.restore(three, "b.age")
    assert restored.code == 0, restored.stdout + restored.stderr
    assert {name: json.loads(three.secret(name)) for name in states} == states


def test_a_webhook_without_its_credential_is_kept_and_counted(
    one: Deployment, two: Deployment, backups: Backups
) -> None:
    lost = next(webhook for webhook in one.webhooks() if webhook.credential)
    assert lost.credential is not None
    one.credentials.delete(lost.credential)

    created = backups.create(one, "a.age")
    assert created.document["withoutCredential"] == [lost.id]

    restored = backups.restore(two, "a.age")
    assert restored.code == 0
    assert restored.document["withoutCredential"] == 1
    assert [each.id for each in two.webhooks()] == [each.id for each in one.webhooks()]


def test_a_webhook_that_cannot_be_read_is_carried_along(
    one: Deployment, two: Deployment, backups: Backups
) -> None:
    [newest, *_] = one.webhooks()
    key = one.key_of(newest)
    one.backend.clients.dynamodb.update_item(
        TableName=one.subscriptions_table,
        Key=key,
        UpdateExpression="SET #definition = :text",
        ExpressionAttributeNames={"#definition": "definition"},
        ExpressionAttributeValues={":text": {"S": "{"}},
    )
    backups.create(one, "a.age")

    assert backups.restore(two, "a.age").code == 0

    stored = {(item["pk"]["S"], item["sk"]["S"]): item for item in two.items(two.subscriptions_table)}
    assert stored[key["pk"]["S"], key["sk"]["S"]]["definition"] == {"S": "{"}


def test_new_webhooks_get_numbers_behind_the_restored_ones(
    one: Deployment, two: Deployment, backups: Backups
) -> None:
    backups.create(one, "a.age")
    backups.restore(two, "a.age")

    added = two.add()

    assert two.webhooks()[0].id == added.id
    assert len(two.webhooks()) == 4
    assert int(added.id[8:16], 16) == 5  # the fourth one was deleted


KEYS = {"seed": "same", "keys": [{"pair": "p", "since": 5, "until": None}]}


@pytest.mark.parametrize(
    "states",  # in the backup, in the target, and which of them counts then
    [
        ({"seed": "same"}, {"seed": "new"}, "saved"),
        (KEYS, {"seed": "new"}, "saved"),
        (KEYS, {"seed": "same"}, "saved"),
        ({"seed": "same"}, KEYS, "present"),
        (KEYS, {**KEYS, "keys": [{"pair": "q", "since": 6, "until": None}, *KEYS["keys"]]}, "present"),
        ({**KEYS, "keys": [{"pair": "q", "since": 6, "until": None}, *KEYS["keys"]]}, KEYS, "saved"),
        (KEYS, {**KEYS, "seed": "of another in use"}, "refused"),
    ],
)
def test_a_key_that_was_reset_since_the_backup_is_not_lost(
    one: Deployment, two: Deployment, backups: Backups, states: tuple[Any, Any, str]
) -> None:
    saved, present, expected = states
    one.put_secret("serviceKeysSecret", saved)
    two.put_secret("serviceKeysSecret", present)
    backups.create(one, "a.age")

    restored = backups.restore(two, "a.age")

    assert (restored.code == 1) is (expected == "refused")
    kept = json.loads(two.secret("serviceKeysSecret"))
    assert kept == (saved if expected == "saved" else present)
    if expected == "refused":
        assert "service keys of the target were reset" in restored.document["error"]
        assert two.webhooks() == []
        assert backups.restore(two, "a.age", "--overwrite", two.subscriptions_table).code == 0
        assert json.loads(two.secret("serviceKeysSecret")) == saved


def test_a_target_with_another_curve_is_refused(one: Deployment, two: Deployment, backups: Backups) -> None:
    backups.create(one, "a.age")
    two.curve = "prime256v1"

    refused = backups.restore(two, "a.age")

    assert refused.code == 2
    assert "EcCurveName=secp256k1" in refused.stderr
    assert two.items(two.subscriptions_table) == []


@pytest.mark.parametrize("seals", [(True, True), (True, False), (False, True)])
def test_credentials_are_restored_in_the_form_of_the_target(
    backend: Backend, tmp_path: Path, backups: Backups, seals: tuple[bool, bool]
) -> None:
    # Given a deployment, and a target with another key of KMS, each with its CredentialStore
    source = Deployment(backend, "source", tmp_path / "source", seals=seals[0])
    first = source.add(credential=FIRST)
    source.add(credential=SECOND, scope=SOUTH)
    source.change_credential(first, SECOND)
    target = Deployment(backend, "target", tmp_path / "target", seals=seals[1])
    assert backups.create(source, "a.age").code == 0

    # When it is restored, twice
    restored = backups.restore(target, "a.age")
    assert restored.code == 0, restored.stdout
    items = _but_the_epoch(target)
    again = backups.restore(target, "a.age")

    # Then the credentials are there in the target's form, and the second time changed nothing
    assert restored.document["same"]
    assert target.tokens() == source.tokens()
    assert target.tokens(SOUTH) == source.tokens(SOUTH)
    assert {"credentialSealed" in each for each in items if "webhookId" in each and "revision" in each} == {
        seals[1]
    }
    assert (again.code, again.document["written"]) == (0, 0)
    assert _but_the_epoch(target) == items
    assert target.cleanup().orphans == 0


def test_a_backup_is_the_same_whatever_the_form_of_its_credentials(one: Deployment, backups: Backups) -> None:
    before = backups.create(one, "secrets.age").document
    one.seals = True
    with calls_seen():  # one at a time: moto's transactions are not isolated between threads
        assert one.run("credentials", "migrate", "--to", "table").code == 0
    revisions = {each.id: each.revision for each in one.webhooks()}

    after = backups.create(one, "sealed.age").document

    assert after["counts"] == before["counts"]
    assert after["withoutCredential"] == []
    # And the first one can be restored over it: only the revisions of migrated webhooks differ
    assert backups.restore(one, "sealed.age").code == 0
    assert {each.id: each.revision for each in one.webhooks()} == revisions


def test_a_sealed_credential_that_does_not_open_comes_back(
    backend: Backend, tmp_path: Path, backups: Backups
) -> None:
    one = Deployment(backend, "sealed", tmp_path / "sealed", seals=True)
    lost, kept = one.add(credential=FIRST), one.add(credential=SECOND)
    backups.create(one, "a.age")
    with mock.patch.object(CredentialSeal, "open", lambda _, item: None if lost.id in str(item) else "kept"):
        restored = backups.restore(one, "a.age", "--credentials-only")
        assert restored.document == {"lookedAt": 2, "restored": [lost.id]}, restored.stdout
    assert one.tokens() == [SECOND, FIRST]
    found = {each.id: each.credential for each in one.webhooks()}
    assert found[kept.id] == kept.credential
    assert found[lost.id] != lost.credential


def test_a_sealed_credential_that_is_lost_is_missing_in_the_target_and_keeps_no_delivery_waiting(
    backend: Backend, tmp_path: Path, two: Deployment, backups: Backups
) -> None:
    one = Deployment(backend, "sealed", tmp_path / "sealed", seals=True)
    lost = one.add(credential=FIRST)
    with mock.patch.object(CredentialSeal, "open", return_value=None):
        assert backups.create(one, "a.age").document["withoutCredential"] == [lost.id]
    two.seals = True
    restored = backups.restore(two, "a.age")
    assert (restored.code, restored.document["withoutCredential"]) == (0, 1)
    with pytest.raises(CredentialMissingError):
        two.tokens()


def _but_the_epoch(deployment: Deployment) -> list[dict[str, Any]]:
    """Return the table's items without the epoch, which counts each restore."""
    items = deployment.items(deployment.subscriptions_table)
    return [item for item in items if item["pk"] != EPOCH["pk"]]
