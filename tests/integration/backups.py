"""Deployments in an account in process, and the command that backs them up and restores them."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Any
from unittest import mock

from tests.clocks import NOW
from tests.contract.backends import Backend
from tests.contract.credential_stores import make_key, open_credentials
from tests.contract.webhooks_made import ACME, changed, make_record, make_webhook
from tests.unit.cli.command_line import CommandLine, CommandResult
from webhooks.adapters.credential_forms import CredentialForms
from webhooks.adapters.dynamodb.keys import EPOCH, community_key, webhook_sk
from webhooks.adapters.dynamodb.subscription_index import DynamoSubscriptionIndex
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.secrets_manager.credential_secrets import ListedSecrets, binding
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Credential, SealedCredential, Webhook, sequence_of
from webhooks.services.orphan_cleanup import CleanupResult, OrphanCleanup
from webhooks_cli.aws import Account

type Item = dict[str, Any]


class Deployment:
    """A stack's tables and secrets. `command` runs `webhooks` for it, in a folder of its own.

    `seals`: its CredentialStore is Table; a test may change it. `has_key`: its EncryptionKey is Customer;
    `has_one_seed`: its SeedSecrets is One.
    """

    def __init__(
        self,
        backend: Backend,
        name: str,
        folder: Path,
        *,
        number: int = 1,
        seals: bool = False,
        has_key: bool = True,
        has_one_seed: bool = False,
    ) -> None:
        self.seals = seals
        self.backend = backend
        self.name = name
        self.folder = folder
        self.command = CommandLine(folder)
        self.stack_id = f"arn:aws:cloudformation:us-east-1:000000000000:stack/{name}/{number}"
        self.key = make_key(backend) if has_key else ""
        self.curve = "secp256k1"
        self._suffix = f"{name}-{number}"
        self.subscriptions_table = self._table("subscriptions")
        self.deliveries_table = self._table("deliveries")
        self.access_table = self._table("access", sorted_by=None)
        names = ("serviceKeysSecret", "signingKeysSecret", "webhookMasterSecret")
        if has_one_seed:
            self.secrets = dict.fromkeys(names, self._secret("seeds", {"parts": {}, "seed": f"{name} seeds"}))
        else:
            self.secrets = {each: self._secret(each, {"seed": f"{name} {each}"}) for each in names}
        self.command.write_stack(
            region="us-east-1",
            stackName=name,
            subscriptionsTable=self.subscriptions_table,
            deliveriesTable=self.deliveries_table,
            accessTable=self.access_table,
            credentialsPrefix=self.prefix,
            **({"keyArn": self.key} if has_key else {}),
            **self.secrets,
        )

    @property
    def prefix(self) -> str:
        return f"{self.name}/credentials/"

    @property
    def description(self) -> Item:
        """The stack as CloudFormation would describe it."""
        parameters = (
            {"EcCurveName": self.curve}
            | ({"CredentialStore": "Table"} if self.seals else {})
            | ({} if self.key else {"EncryptionKey": "AwsOwned"})
        )
        shown = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
        return {"StackName": self.name, "StackId": self.stack_id, "Parameters": shown}

    @cached_property
    def subscriptions(self) -> DynamoSubscriptions:
        return DynamoSubscriptions(
            self.backend.clients,
            Tables(self.subscriptions_table, self.access_table),
            clock=self.backend.clock,
            random_bytes=self.backend.random_bytes,
            backoff=self.backend.backoff,
        )

    @property
    def stores(self) -> tuple[DynamoSubscriptions, DynamoSubscriptionIndex]:
        table = Table(self.backend.clients, self.subscriptions_table, backoff=self.backend.backoff)
        return self.subscriptions, DynamoSubscriptionIndex(table)

    @property
    def credentials(self) -> CredentialForms:
        return open_credentials(self.backend, self.prefix, key=self.key, seals=self.seals, tags=self.tags)

    @property
    def tags(self) -> dict[str, str]:
        return binding(table=self.subscriptions_table, stack=self.stack_id)

    def add(self, *, scope: Scope = ACME, credential: Credential | None = None, **changes: Any) -> Webhook:
        """Store a webhook as the API does."""
        subscriptions = self.subscriptions
        webhook_id = subscriptions.next_id(scope, now=NOW)
        ref = self.credentials.create(scope, webhook_id, credential=credential) if credential else None
        webhook = replace(make_webhook(webhook_id, scope, **changes), credential=ref)
        subscriptions.add(webhook, make_record(webhook_id))
        return webhook

    def change(self, webhook: Webhook, **changes: Any) -> Webhook:
        after = changed(webhook, **changes)
        self.subscriptions.change(webhook, after, record=None)
        return after

    def change_credential(self, webhook: Webhook, credential: Credential) -> Webhook:
        assert webhook.credential is not None
        ref = self.credentials.replace(webhook.credential, credential)
        after = replace(webhook, credential=ref, revision=webhook.revision + 1)
        self.subscriptions.change(webhook, after, record=None)
        self.credentials.settle(ref)
        return after

    def remove(self, webhook: Webhook) -> None:
        self.subscriptions.remove(webhook, make_record(f"removal of {webhook.id}"))
        if webhook.credential:
            self.credentials.delete(webhook.credential)

    def license(self, digest: str, **more: Any) -> None:
        item = {
            "pk": {"S": f"license#{digest}"},
            "authLevel": {"S": "system"},
            "tenantId": {"S": "*"},
            "communityId": {"S": "*"},
            "disabled": {"BOOL": False},
            "label": {"S": "a license"},
            "issuedAt": {"N": "1"},
            **more,
        }
        self.put(self.access_table, item)

    def webhooks(self, scope: Scope = ACME) -> list[Webhook]:
        return list(self.subscriptions.page(scope, index=0, size=1000, tags=()).webhooks)

    def tokens(self, scope: Scope = ACME) -> list[Credential | None]:
        """Return each webhook's credential, as the dispatcher reads it."""
        return [
            self.credentials.read(webhook.credential) if webhook.credential else None
            for webhook in self.webhooks(scope)
        ]

    def items(self, table: str) -> list[Item]:
        pages = self.backend.clients.dynamodb.get_paginator("scan").paginate(TableName=table)
        found = [dict(item) for page in pages for item in page["Items"]]
        return sorted(found, key=lambda item: (item["pk"]["S"], item.get("sk", {}).get("S", "")))

    def put(self, table: str, *items: Item) -> None:
        for item in items:
            self.backend.clients.dynamodb.put_item(TableName=table, Item=item)

    def key_of(self, webhook: Webhook) -> Item:
        """Return the key of a webhook's item."""
        return community_key(webhook.scope, webhook_sk(sequence_of(webhook.id) or 0))

    def credential_names(self) -> list[str]:
        """Return the names of the secrets that the webhooks name."""
        items = self.items(self.subscriptions_table)
        return [item["credentialSecret"]["S"] for item in items if "credentialSecret" in item]

    def state(self) -> dict[str, Any]:
        """Return everything that a backup has, without the names of secrets and their versions."""
        stored = [item for item in self.items(self.subscriptions_table) if item["pk"] != EPOCH["pk"]]
        subscriptions = [self._named(item) for item in stored]
        access = [item for item in self.items(self.access_table) if "expiresAt" not in item]
        return {
            "subscriptions": subscriptions,
            "access": access,
            "deliveries": self.items(self.deliveries_table),
            "secrets": [self.secret(name) for name in self.secrets],
        }

    def _secret(self, name: str, state: Mapping[str, Any]) -> str:
        made = self.backend.clients.secrets.create_secret(
            Name=f"{self._suffix}-{name}-{self.backend.suffix}", SecretString=json.dumps(state)
        )
        return made["Name"]

    def secret(self, name: str) -> str:
        found = self.backend.clients.secrets.get_secret_value(SecretId=self.secrets[name])
        return found["SecretString"]

    def put_secret(self, name: str, state: Mapping[str, Any]) -> None:
        self.backend.clients.secrets.put_secret_value(
            SecretId=self.secrets[name], SecretString=json.dumps(state)
        )

    def cleanup(self) -> CleanupResult:
        """Run the orphan cleanup, long after all secrets were made."""
        return OrphanCleanup(
            secrets=ListedSecrets(self.backend.clients, prefix=self.prefix, tags=self.tags),
            subscriptions=self.subscriptions,
            clock=lambda: 2 * NOW,
            time_left=lambda: inf,
        ).run()

    def run(self, *argv: object, **more: Any) -> CommandResult:
        with self.described():
            return self.command(*argv, **more)

    @contextmanager
    def described(self) -> Iterator[None]:
        """Let the command see this stack: the account in process has no CloudFormation."""
        with mock.patch.object(Account, "stack", self.description):
            yield

    def _table(self, name: str, *, sorted_by: str | None = "sk") -> str:
        suffix, self.backend.suffix = self.backend.suffix, f"{self.backend.suffix}-{self._suffix}"
        try:
            return self.backend.table(name, sorted_by=sorted_by)
        finally:
            self.backend.suffix = suffix

    def _named(self, item: Item) -> Item:
        if "credentialSealed" in item:
            scope = Scope(*item["pk"]["S"].split("#")[1:])
            sealed = SealedCredential(scope, item["webhookId"]["S"], item["credentialSealed"]["S"])
            return {**item, "credentialSealed": self.credentials.read(sealed)}
        if "credentialSecret" not in item:
            return item
        read = self.backend.clients.secrets.get_secret_value(
            SecretId=item["credentialSecret"]["S"], VersionId=item["credentialVersion"]["S"]
        )
        name = item["credentialSecret"]["S"].removeprefix(self.prefix)
        return {**item, "credentialSecret": name, "credentialVersion": read["SecretString"]}


class Backups:
    """Keys and files of backups in a folder. `after_call` hears each call of AWS, by its number and name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.identity = folder / "backups.identity"
        self.recipients = folder / "backups.recipient"
        made = CommandLine(folder)("backup", "key", self.identity)
        assert made.code == 0, made.stderr
        self.recipients.write_text(made.stdout)

    def create(self, deployment: Deployment, name: str, *more: object) -> CommandResult:
        return deployment.run(
            "backup", "create", self.folder / name, "--recipients", self.recipients, "--json", *more
        )

    def show(self, deployment: Deployment, name: str, *more: object) -> CommandResult:
        return deployment.run(
            "backup", "show", self.folder / name, "--identity", self.identity, "--json", *more
        )

    def restore(self, deployment: Deployment, name: str, *more: object) -> CommandResult:
        return deployment.run(
            "backup", "restore", self.folder / name, "--identity", self.identity, "--json", *more
        )


type Hook = Callable[[int, str], object]


@contextmanager
def calls_seen(*, before: Hook | None = None, after: Hook | None = None) -> Iterator[None]:
    """Call hooks before and after each of the command's calls, which come one at a time."""
    real = Account._client  # noqa: SLF001
    numbers = iter(range(1_000_000))

    def client(account: Account, service: str) -> Any:
        return _Seen(real(account, service), numbers, before, after)

    with (
        mock.patch.object(Account, "_client", client),
        mock.patch("webhooks_cli.backup.work.WORKERS", 1),
    ):
        yield


class _Seen:
    def __init__(self, client: Any, numbers: Iterator[int], before: Hook | None, after: Hook | None) -> None:
        self._client = client
        self._numbers = numbers
        self._before = before
        self._after = after

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._client, name)

        def call(**request: Any) -> Any:
            number = next(self._numbers)
            if self._before:
                self._before(number, name)
            try:
                return real(**request)
            finally:
                if self._after:
                    self._after(number, name)

        return call
