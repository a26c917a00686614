"""Webhooks' credentials: read for a backup, and made so that a webhook of the target has one.

A secret of the target has the name that its webhook's had, under the target's prefix, is encrypted with the
target's key, and is bound to the target's table and stack by its tags. With CredentialStore=Table credentials
are sealed in the target's webhooks instead. A file has one form for both: a secret's, with the credential.
"""

import uuid
from typing import Any

from webhooks_cli.aws import KEY_OF_AWS, Account
from webhooks_cli.backup.aws_calls import Calls
from webhooks_cli.backup.resources import Resources
from webhooks_cli.backup.webhook_items import CREDENTIAL, Item, path_of
from webhooks_cli.credentials.forms import (
    PARAMETER,
    SEALED,
    TABLE_FORM,
    as_secret,
    form_of,
    with_sealed,
)
from webhooks_cli.credentials.seal import CredentialSeal
from webhooks_cli.errors import UnreachableError

GONE = ("ResourceNotFoundException", "InvalidRequestException")  # the second: it waits for its deletion
EXISTS = ("ResourceExistsException",)
OF, TABLE, STACK = "webhooks:credential-of", "webhooks:table", "webhooks:stack"
CURRENT = "AWSCURRENT"
CREATIONS = 3  # a secret that is deleted or created meanwhile
READS = 3  # of a webhook whose credential is replaced meanwhile


class CredentialReader:
    """Reads the credentials of a deployment's webhooks."""

    def __init__(self, account: Account, resources: Resources, calls: Calls) -> None:
        self._account = account
        self._table = resources.subscriptions
        self._calls = calls
        self._seal = CredentialSeal(account, "", calls)

    def read(self, item: Item) -> "tuple[Item, str | None] | None":
        """Return a webhook with its credential, both as of one time; None where it was deleted meanwhile.

        A credential whose version is gone is the newest one of its secret, if that has any. A sealed one gets
        the name of a secret.
        """
        for _ in range(READS):
            if form_of(item) is None:
                return item, None
            text = self.text_of(item)
            if text is not None:
                return as_secret(item), text
            found = self._calls.get_many(
                self._account.dynamodb, self._table, [{"pk": item["pk"], "sk": item["sk"]}]
            )
            if not found:
                return None
            if all(found[0].get(name) == item.get(name) for name in CREDENTIAL):
                break
            item = found[0]
        return as_secret(item), None if SEALED in item else self._value(item)

    def text_of(self, item: Item) -> "str | None":
        """Return the very credential that a webhook has; None where it cannot be read."""
        if SEALED in item:
            return self._seal.open(item)
        return self._value(item, VersionId=item["credentialVersion"]["S"])

    def _value(self, item: Item, **version: str) -> "str | None":
        found = self._calls.call(
            "secretsmanager GetSecretValue",
            self._account.secrets.get_secret_value,
            GONE,
            SecretId=item["credentialSecret"]["S"],
            **version,
        )
        text: str | None = found["SecretString"] if found else None
        return text


class CredentialWriter:
    """Makes the credentials of the target's webhooks; a repeat changes nothing."""

    def __init__(self, account: Account, resources: Resources, calls: Calls) -> None:
        self._secrets = account.secrets
        self._calls = calls
        self._prefix = resources.names["credentialsPrefix"]
        self._key = resources.names["keyArn"]
        self._tags = {TABLE: resources.subscriptions, STACK: str(resources.stack.get("StackId", ""))}
        self._seals = PARAMETER.get(resources.parameters.get("CredentialStore", "")) == TABLE_FORM
        self._seal = CredentialSeal(account, self._key, calls)

    def name_of(self, item: Item) -> str:
        """Return the name of a webhook's secret in the target: the random end stays."""
        end = item["credentialSecret"]["S"].rpartition("-")[2]
        return f"{self._prefix}{path_of(item)}-{end}"

    def write(self, item: Item, text: "str | None", stored: "Item | None" = None) -> Item:
        """Make the credential; return the webhook as it has it. Without a text only a secret's name changes.

        `stored`: the webhook as the target has it; what is sealed in it stays, where it is the same.
        """
        if "credentialSecret" not in item:
            return item
        if self._seals and text is not None:
            return with_sealed(item, self._sealed(item, text, stored))
        name, version = self.name_of(item), item["credentialVersion"]["S"]
        if text is not None:
            version = self._written(name, version, text, item)
        return {**item, "credentialSecret": {"S": name}, "credentialVersion": {"S": version}}

    def _sealed(self, item: Item, text: str, stored: "Item | None") -> str:
        is_its_own = stored and SEALED in stored and stored.get("webhookId") == item["webhookId"]
        if stored and is_its_own and self._seal.open(stored) == text:
            return str(stored[SEALED]["S"])
        return self._seal.seal(item, text)

    def _written(self, name: str, version: str, text: str, item: Item) -> str:
        # CreateSecret with the version of an existing secret succeeds, and changes no key and no tag.
        for _ in range(CREATIONS):
            described = self._calls.call(
                "secretsmanager DescribeSecret", self._secrets.describe_secret, GONE, SecretId=name
            )
            if described:
                return self._renewed(name, version, text, described)
            if created := self._created(name, version, text, item):
                return created
        raise UnreachableError(f"secretsmanager CreateSecret: {name} exists and does not")

    def _created(self, name: str, version: str, text: str, item: Item) -> "str | None":
        """Create the secret; return its version, None where it exists."""
        made = self._calls.call(
            "secretsmanager CreateSecret",
            self._secrets.create_secret,
            EXISTS,
            Name=name,
            ClientRequestToken=version,
            SecretString=text,
            KmsKeyId=self._key,
            Tags=_as_tags({OF: path_of(item), **self._tags}),
        )
        return str(made["VersionId"]) if made else None

    def _renewed(self, name: str, version: str, text: str, described: Any) -> str:
        """Give an existing secret the target's key, tags, and this credential; return its version."""
        if described.get("DeletedDate"):
            self._call("RestoreSecret", self._secrets.restore_secret, SecretId=name)
        has_key = described.get("KmsKeyId", KEY_OF_AWS) == self._key
        if (
            not has_key
        ):  # of a stack that is gone: functions cannot use it. Only AWSCURRENT is encrypted anew.
            self._call("UpdateSecret", self._secrets.update_secret, SecretId=name, KmsKeyId=self._key)
        tags = {each["Key"]: each["Value"] for each in described.get("Tags", [])}
        if not self._tags.items() <= tags.items():
            self._call("TagResource", self._secrets.tag_resource, SecretId=name, Tags=_as_tags(self._tags))
        for asked in ({"VersionId": version}, {}):
            now = self._calls.call(
                "secretsmanager GetSecretValue", self._secrets.get_secret_value, GONE, SecretId=name, **asked
            )
            if now and now["SecretString"] == text and (has_key or CURRENT in now["VersionStages"]):
                return str(now["VersionId"])
        put = self._call(
            "PutSecretValue", self._secrets.put_secret_value,
            SecretId=name, SecretString=text, ClientRequestToken=str(uuid.uuid4()),
        )  # fmt: skip
        return str(put["VersionId"])

    def _call(self, operation: str, method: Any, **request: Any) -> Any:
        return self._calls.call(f"secretsmanager {operation}", method, **request)


def _as_tags(tags: "dict[str, str]") -> Any:
    return [{"Key": name, "Value": value} for name, value in tags.items()]
