"""The tables and secrets of a deployment: those of its stack, or others that stay when a stack is deleted."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webhooks_cli.aws import KEY_OF_AWS, Account
from webhooks_cli.options import Parser

# An option of `backup create`, by the name of the resource.
TAKEN_FROM = {
    "subscriptionsTable": "--subscriptions-table",
    "accessTable": "--access-table",
    "deliveriesTable": "--deliveries-table",
    "serviceKeysSecret": "--service-keys-secret",
    "signingKeysSecret": "--signing-keys-secret",
    "webhookMasterSecret": "--webhook-master-secret",
}
SECRETS = ("serviceKeysSecret", "signingKeysSecret", "webhookMasterSecret")


@dataclass(frozen=True, slots=True)
class Resources:
    """Names of resources by their names in stack.json; `stack` as CloudFormation describes it."""

    names: Mapping[str, str]
    stack: Mapping[str, Any]

    @property
    def subscriptions(self) -> str:
        return self.names["subscriptionsTable"]

    @property
    def access(self) -> str:
        return self.names["accessTable"]

    @property
    def deliveries(self) -> str:
        return self.names["deliveriesTable"]

    @property
    def parameters(self) -> dict[str, str]:
        """Return the stack's parameters."""
        return {
            each["ParameterKey"]: each.get("ParameterValue", "") for each in self.stack.get("Parameters", [])
        }


def resource_options(parser: Parser) -> None:
    group = parser.add_argument_group(
        "other sources than the stack's own: a table that AWS restored, or what a deleted stack left"
    )
    for name, option in TAKEN_FROM.items():
        kind = "secret" if name in SECRETS else "table"
        group.add_argument(option, dest=name, metavar="NAME", help=f"{kind} to read")


def source_resources(account: Account, options: Namespace) -> Resources:
    """Return the resources that a backup reads. Raises MissingError."""
    names = {name: getattr(options, name) or account.find(name) for name in TAKEN_FROM}
    return Resources(names, account.stack)


def target_resources(account: Account) -> Resources:
    """Return the resources that a restore writes. Raises MissingError."""
    names = {name: account.find(name) for name in (*TAKEN_FROM, "credentialsPrefix")}
    owned = Resources(names, account.stack).parameters.get("EncryptionKey") == "AwsOwned"
    return Resources({**names, "keyArn": KEY_OF_AWS if owned else account.find("keyArn")}, account.stack)
