"""The orphan cleanup: the secrets that it deletes, and those that it must never touch."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import pytest

from tests.aws_stub.faulty_clients import FaultyClients, Replacement, fail, forever, works
from tests.clocks import NOW, Clock
from tests.contract.backends import Backend, backend_named
from tests.contract.webhooks_made import ACME, make_record, make_webhook
from tests.fakes.credentials import FakeCredentials
from tests.fakes.subscriptions import FakeSubscriptions
from tests.random_bytes import salted_bytes
from webhooks.adapters.dynamodb.keys import RESTORING
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.secrets_manager.credential_secrets import ListedSecrets, binding
from webhooks.adapters.secrets_manager.credentials import SecretCredentials
from webhooks.domain.errors import UnavailableError
from webhooks.domain.webhook import Credential, CredentialRef, Webhook
from webhooks.services.orphan_cleanup import GRACE, RESERVE, WEBHOOKS_AT_ONCE, CleanupResult, OrphanCleanup

PREFIX = "webhooks/credentials/"
STACK = "arn:aws:cloudformation:us-east-1:000000000000:stack/webhooks/1"
ANOTHER_STACK = STACK[:-1] + "2"
LATER = 2 * NOW
FIRST = Credential(token="first")


@pytest.fixture
def backend() -> Iterator[Backend]:
    with backend_named("moto") as opened:
        yield opened


@dataclass
class Deployment:
    """A stack and its tables; several may have the same name, and so the same prefix."""

    backend: Backend
    stack: str = STACK
    table: str = ""
    tagged: bool = True
    faults: Mapping[str, list[Replacement]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.table = self.table or self.backend.table("subscriptions")

    @property
    def tags(self) -> dict[str, str]:
        return binding(table=self.table, stack=self.stack)

    @property
    def credentials(self) -> SecretCredentials:
        return SecretCredentials(
            self.backend.clients,
            prefix=PREFIX,
            kms_key_id="",
            clock=self.backend.clock,
            random_bytes=self.backend.random_bytes,
            **({"tags": self.tags} if self.tagged else {}),
        )

    @property
    def subscriptions(self) -> DynamoSubscriptions:
        return DynamoSubscriptions(
            FaultyClients(self.backend.clients, **self.faults),
            Tables(
                self.table, self.backend.table(f"access-{self.backend.random_bytes(4).hex()}", sorted_by=None)
            ),
            clock=self.backend.clock,
            random_bytes=self.backend.random_bytes,
            backoff=self.backend.backoff,
        )

    def register(self, count: int) -> list[Webhook]:
        """Store webhooks, each with a credential."""
        subscriptions, credentials, made = self.subscriptions, self.credentials, []
        for _ in range(count):
            webhook_id = subscriptions.next_id(ACME, now=NOW)
            ref = credentials.create(ACME, webhook_id, credential=FIRST)
            webhook = replace(make_webhook(webhook_id), credential=ref)
            subscriptions.add(webhook, make_record(webhook_id))
            made.append(webhook)
        return made

    def orphan(self, count: int = 1) -> list[CredentialRef]:
        """Store credentials without their webhooks, as a crash leaves them."""
        subscriptions, credentials = self.subscriptions, self.credentials
        ids = [subscriptions.next_id(ACME, now=NOW) for _ in range(count)]
        return [credentials.create(ACME, webhook_id, credential=FIRST) for webhook_id in ids]

    def empty(self) -> None:
        """Delete every item of the table."""
        dynamodb = self.backend.clients.dynamodb
        for item in dynamodb.scan(TableName=self.table)["Items"]:
            dynamodb.delete_item(TableName=self.table, Key={"pk": item["pk"], "sk": item["sk"]})

    def restore_into(self, table: str) -> None:
        """Copy the table into another one, as a restore does."""
        dynamodb = self.backend.clients.dynamodb
        for item in dynamodb.scan(TableName=self.table)["Items"]:
            dynamodb.put_item(TableName=table, Item=item)

    def cleanup(self, *, now: float = LATER, time_left: Callable[[], float] = lambda: inf) -> CleanupResult:
        return OrphanCleanup(
            secrets=ListedSecrets(
                FaultyClients(self.backend.clients, **self.faults), prefix=PREFIX, tags=self.tags
            ),
            subscriptions=self.subscriptions,
            clock=lambda: now,
            time_left=time_left,
        ).run()


def described(backend: Backend, ref: CredentialRef) -> Mapping[str, Any]:
    return backend.clients.secrets.describe_secret(SecretId=ref.secret_name)


def names(webhooks: list[Webhook]) -> set[str]:
    return {each.credential.secret_name for each in webhooks if isinstance(each.credential, CredentialRef)}


def kept(backend: Backend) -> set[str]:
    """Return the names of all secrets that are not marked for deletion."""
    pages = backend.clients.secrets
    found: set[str] = set()
    token: dict[str, Any] = {}
    while True:
        page = pages.list_secrets(MaxResults=100, **token)
        found |= {secret["Name"] for secret in page["SecretList"]}
        if not page.get("NextToken"):
            return found
        token = {"NextToken": page["NextToken"]}


def test_an_orphan_among_many_is_scheduled_for_deletion_in_thirty_days(backend: Backend) -> None:
    deployment = Deployment(backend)
    webhooks = deployment.register(9)
    [orphan] = deployment.orphan()

    assert deployment.cleanup() == CleanupResult(listed=10, unbound=0, orphans=1, deleted=1)

    assert kept(backend) == names(webhooks)
    deleted_at = described(backend, orphan)["DeletedDate"]
    assert abs(deleted_at - datetime.now(UTC) - timedelta(days=30)) < timedelta(hours=1)

    # It is not counted again
    assert deployment.cleanup() == CleanupResult(listed=9, unbound=0, orphans=0, deleted=0)

    # And until then it can be brought back
    backend.clients.secrets.restore_secret(SecretId=orphan.secret_name)
    assert deployment.credentials.read(orphan) == FIRST


def test_an_empty_table_loses_no_credential(backend: Backend, caplog: pytest.LogCaptureFixture) -> None:
    deployment = Deployment(backend)
    webhooks = deployment.register(25)
    deployment.empty()

    result = deployment.cleanup()

    assert (result.listed, result.orphans, result.deleted) == (25, 25, 0)
    assert result.stopped is not None
    assert "it is empty" in result.stopped
    assert kept(backend) == names(webhooks)
    [line] = [record for record in caplog.records if record.message == "orphan_cleanup.stopped"]
    assert line.levelno == logging.ERROR
    assert vars(line).items() >= {"listed": 25, "unbound": 0, "orphans": 25, "deleted": 0}.items()
    assert len(vars(line)["secrets"]) == 20
    assert set(vars(line)["secrets"]) < names(webhooks)
    assert "delete-secret" in vars(line)["advice"]


def test_an_empty_table_stops_the_cleanup_even_for_few_old_secrets() -> None:
    # Given a secret that is old enough to be an orphan, many younger ones, and none of their webhooks
    memory = Memory()
    memory.register(1)
    memory.clock.now += GRACE + 1
    memory.register(19)
    for webhook in memory.webhooks:
        memory.subscriptions.remove(webhook, make_record(f"remove {webhook.id}"))

    result = memory.cleanup()

    assert (result.listed, result.orphans, result.deleted) == (20, 1, 0)
    assert result.stopped is not None
    assert "it is empty" in result.stopped


@pytest.mark.parametrize("is_filled", [0, 1])
def test_a_restored_table_loses_no_credential(backend: Backend, is_filled: int) -> None:
    # Given a deployment whose table was restored, which makes a new table: still empty, or filled
    before = Deployment(backend)
    webhooks = before.register(12)
    before.orphan()
    after = Deployment(backend, table=backend.table("restored"))
    if is_filled:
        before.restore_into(after.table)

    # When the stack's cleanup runs on the new table
    result = after.cleanup()

    # Then no secret of the old one is touched, orphan or not
    assert result == CleanupResult(listed=0, unbound=13, orphans=0, deleted=0)
    assert kept(backend) >= names(webhooks)
    assert len(kept(backend)) == 13


def test_a_credential_changed_after_a_restore_belongs_to_the_new_table(backend: Backend) -> None:
    before = Deployment(backend)
    [webhook] = before.register(1)
    assert isinstance(webhook.credential, CredentialRef)
    after = Deployment(backend, table=backend.table("restored"))
    before.restore_into(after.table)

    ref = after.credentials.replace(webhook.credential, Credential(token="second"))
    after.credentials.settle(ref)

    assert after.credentials.read(ref).token == "second"
    tags = {tag["Key"]: tag["Value"] for tag in described(backend, ref)["Tags"]}
    assert tags == {
        "webhooks:credential-of": f"acme/north/{webhook.id}",
        "webhooks:table": after.table,
        "webhooks:stack": STACK,
    }
    assert after.cleanup() == CleanupResult(listed=1, unbound=0, orphans=0, deleted=0)
    assert before.cleanup() == CleanupResult(listed=0, unbound=1, orphans=0, deleted=0)


def test_another_stack_of_the_same_name_deletes_no_secret_of_the_first(backend: Backend) -> None:
    first = Deployment(backend)
    webhooks = first.register(12)
    first.orphan()

    # Given the stack deleted and deployed again: a new stack id, a new table, the same prefix
    second = Deployment(backend, stack=ANOTHER_STACK, table=backend.table("again"))
    webhooks += second.register(10)
    second.orphan()

    assert second.cleanup() == CleanupResult(listed=11, unbound=13, orphans=1, deleted=1)
    assert kept(backend) > names(webhooks)
    assert len(kept(backend)) == 23

    # Nor where it took over the first one's table by its name
    third = Deployment(backend, stack=ANOTHER_STACK, table=first.table)
    third.empty()
    assert third.cleanup() == CleanupResult(listed=0, unbound=23, orphans=0, deleted=0)


def test_the_wrong_table_loses_no_credential(backend: Backend) -> None:
    deployment = Deployment(backend)
    webhooks = deployment.register(12)
    elsewhere = Deployment(backend, table=backend.table("wrong"))
    elsewhere.register(3)
    assert elsewhere.cleanup() == CleanupResult(listed=3, unbound=12, orphans=0, deleted=0)
    assert kept(backend) > names(webhooks)


def test_secrets_of_an_earlier_version_are_never_deleted(backend: Backend) -> None:
    earlier = Deployment(backend, tagged=False)
    webhooks = earlier.register(3)
    earlier.orphan(2)
    now = Deployment(backend, table=earlier.table)
    webhooks += now.register(9)
    now.orphan()

    assert now.cleanup() == CleanupResult(listed=10, unbound=5, orphans=1, deleted=1)
    assert len(kept(backend)) == 14
    assert kept(backend) > names(webhooks)


@pytest.mark.parametrize(("webhooks", "orphans"), [(2, 1), (8, 1), (17, 2), (0, 1)])
def test_orphans_above_a_tenth_stop_the_cleanup(
    backend: Backend, caplog: pytest.LogCaptureFixture, webhooks: int, orphans: int
) -> None:
    deployment = Deployment(backend)
    deployment.register(webhooks)
    refs = deployment.orphan(orphans)

    result = deployment.cleanup()

    assert (result.listed, result.orphans, result.deleted) == (webhooks + orphans, orphans, 0)
    assert result.stopped
    assert len(kept(backend)) == webhooks + orphans
    [line] = [record for record in caplog.records if record.message == "orphan_cleanup.stopped"]
    assert set(vars(line)["secrets"]) == {ref.secret_name for ref in refs}


def test_a_tenth_of_orphans_does_not_stop_the_cleanup(backend: Backend) -> None:
    deployment = Deployment(backend)
    deployment.register(18)
    deployment.orphan(2)
    assert deployment.cleanup() == CleanupResult(listed=20, unbound=0, orphans=2, deleted=2)


def test_a_webhook_that_cannot_be_read_keeps_its_credential(backend: Backend) -> None:
    deployment = Deployment(backend)
    webhook, *_ = deployment.register(10)
    backend.clients.dynamodb.update_item(
        TableName=deployment.table,
        Key={"pk": {"S": "C#acme#north"}, "sk": {"S": f"W#{int(webhook.id[8:16], 16):010d}"}},
        UpdateExpression="SET #definition = :bad",
        ExpressionAttributeNames={"#definition": "definition"},
        ExpressionAttributeValues={":bad": {"S": "no JSON"}},
    )
    assert deployment.cleanup() == CleanupResult(listed=10, unbound=0, orphans=0, deleted=0)


def test_a_cleanup_stops_in_time_and_the_next_one_continues(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    deployment = Deployment(backend)
    deployment.register(45)
    deployment.orphan(5)
    left = iter([300.0, RESERVE + 0.1, RESERVE - 0.1])

    assert deployment.cleanup(time_left=lambda: next(left)) == CleanupResult(50, 0, orphans=5, deleted=2)
    [line] = [record for record in caplog.records if record.message == "orphan_cleanup.out_of_time"]
    assert vars(line)["left"] == 3
    assert deployment.cleanup() == CleanupResult(48, 0, orphans=3, deleted=3)


def test_a_secret_that_cannot_be_deleted_is_left_to_the_next_run(backend: Backend) -> None:
    deployment = Deployment(backend, faults={"delete_secret": [works, fail("InternalServiceError")]})
    deployment.register(27)
    deployment.orphan(3)
    assert deployment.cleanup() == CleanupResult(30, 0, orphans=3, deleted=2)
    assert deployment.cleanup() == CleanupResult(28, 0, orphans=1, deleted=1)


@pytest.mark.parametrize("operation", ["list_secrets", "batch_get_item"])
def test_a_failed_list_or_read_deletes_nothing(backend: Backend, operation: str) -> None:
    deployment = Deployment(backend)
    deployment.register(18)
    deployment.orphan(2)
    deployment.faults = {operation: forever(fail("InternalServiceError"))}
    with pytest.raises(UnavailableError):
        deployment.cleanup()
    assert len(kept(backend)) == 20


def test_secrets_beyond_one_read_are_all_compared() -> None:
    memory = Memory()
    memory.register(2 * WEBHOOKS_AT_ONCE + 10)
    gone = memory.webhooks[::100]
    for webhook in gone:
        memory.subscriptions.remove(webhook, make_record(f"remove {webhook.id}"))
    memory.clock.now += GRACE

    assert memory.cleanup() == CleanupResult(
        2 * WEBHOOKS_AT_ONCE + 10, 0, orphans=len(gone), deleted=len(gone)
    )
    assert names(memory.webhooks) - {each.secret_name for each in memory.credentials.listed()} == names(gone)


def test_a_secret_is_no_orphan_before_its_grace_is_over() -> None:
    memory = Memory()
    memory.register(10)
    memory.subscriptions.remove(memory.webhooks[0], make_record("remove"))
    memory.clock.now += GRACE - 1
    assert memory.cleanup() == CleanupResult(10, 0, orphans=0, deleted=0)
    memory.clock.now += 1
    assert memory.cleanup() == CleanupResult(10, 0, orphans=1, deleted=1)


class Memory:
    """A deployment in memory. Its clock sets the ages of its secrets."""

    def __init__(self) -> None:
        self.clock, random_bytes = Clock(), salted_bytes()
        self.credentials = FakeCredentials(clock=self.clock, random_bytes=random_bytes)
        self.subscriptions = FakeSubscriptions(clock=self.clock, random_bytes=random_bytes)
        self.webhooks: list[Webhook] = []

    def register(self, count: int) -> None:
        for _ in range(count):
            webhook_id = self.subscriptions.next_id(ACME, now=NOW)
            ref = self.credentials.create(ACME, webhook_id, credential=FIRST)
            self.webhooks.append(replace(make_webhook(webhook_id), credential=ref))
            self.subscriptions.add(self.webhooks[-1], make_record(webhook_id))

    def cleanup(self) -> CleanupResult:
        return OrphanCleanup(
            secrets=self.credentials,
            subscriptions=self.subscriptions,
            clock=self.clock,
            time_left=lambda: inf,
        ).run()


def test_nothing_is_deleted_while_the_table_is_restored(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    """As a table that is nine tenths filled looks like one with a few orphans."""
    deployment = Deployment(backend)
    webhooks = deployment.register(24)
    [orphan] = deployment.orphan()
    backend.clients.dynamodb.put_item(TableName=deployment.table, Item=RESTORING)

    result = deployment.cleanup()

    assert (result.listed, result.orphans, result.deleted) == (25, 1, 0)
    assert result.stopped is not None
    assert "a restore runs" in result.stopped
    assert kept(backend) == names(webhooks) | {orphan.secret_name}
    assert "orphan_cleanup.stopped" in caplog.messages

    # Once it has ended, the orphan is deleted
    backend.clients.dynamodb.delete_item(TableName=deployment.table, Key=RESTORING)
    assert deployment.cleanup().deleted == 1
