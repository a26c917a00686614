"""Webhooks' secrets: made where a sealed credential becomes one, listed and deleted where they are left."""

import uuid
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import islice
from typing import Any

from webhooks_cli.aws import Account
from webhooks_cli.backup.aws_calls import READS, Calls
from webhooks_cli.backup.credentials import EXISTS, GONE, OF, STACK, TABLE
from webhooks_cli.backup.resources import Resources
from webhooks_cli.backup.webhook_items import COMMUNITY, Item, path_of
from webhooks_cli.credentials.forms import SEALED, with_secret

FRESH = 1800  # seconds: the orphan cleanup takes no secret before twice that age
GRACE = 3600  # seconds in which a secret may belong to a request that is running
SETTLE_SECONDS = 120  # a function may use a webhook that it read so long ago: an invocation, and its cache
RECOVERY_DAYS = 7  # the least that there is; a secret that waits for its deletion costs nothing
PAGE = 100


class SecretStore:
    """The secrets of a deployment's webhooks. `clock` in epoch seconds."""

    def __init__(
        self, account: Account, resources: Resources, calls: Calls, clock: Callable[[], float]
    ) -> None:
        self._account = account
        self._secrets = account.secrets
        self._table = resources.subscriptions
        self._calls = calls
        self._clock = clock
        self._prefix = resources.names["credentialsPrefix"]
        self._key = resources.names["keyArn"]
        self._tags = {TABLE: resources.subscriptions, STACK: str(resources.stack.get("StackId", ""))}

    def make(self, item: Item, text: str) -> Item:
        """Make the secret of a sealed credential; return the webhook as it names it.

        The name derives from the sealed text, so that a run uses what a run before it has just made. An old
        secret of this name is not used: the orphan cleanup may be about to delete it.
        """
        end = sha256(item[SEALED]["S"].encode()).hexdigest()[:8]
        for _ in range(READS):
            name = f"{self._prefix}{path_of(item)}-{end}"
            if version := self._created(name, item, text) or self._known(name, text):
                return with_secret(item, name, version)
            end = uuid.uuid4().hex[:8]
        raise AssertionError("unreachable: a random name is new")

    def discard(self, item: Item) -> None:
        """Delete a secret that was made for a webhook, which does not name it."""
        self._calls.call(
            "secretsmanager DeleteSecret",
            self._secrets.delete_secret,
            GONE,
            SecretId=item["credentialSecret"]["S"],
            ForceDeleteWithoutRecovery=True,
        )

    def delete_left(
        self, replaced: "set[str]", throttle: Callable[[int], None], sleep: Callable[[float], None]
    ) -> tuple[int, int]:
        """Delete secrets whose webhooks have sealed credentials; return how many, and how many are too young.

        `replaced`: the names of those that this run has replaced; others are deleted where no request that
        still runs can have made them.
        """
        deleted = young = 0
        listed = self._listed()
        while page := list(islice(listed, PAGE)):
            sealed = [secret for secret, item in self._with_webhooks(page) if SEALED in item]
            left = [each for each in sealed if self._is_left(each, replaced)]
            young += sum(self._is_ours(each) for each in sealed if each not in left)
            if left and not deleted:
                sleep(SETTLE_SECONDS)
            for secret in left:
                throttle(1)
                self._calls.call(
                    "secretsmanager DeleteSecret",
                    self._secrets.delete_secret,
                    GONE,
                    SecretId=secret["Name"],
                    RecoveryWindowInDays=RECOVERY_DAYS,
                )
            deleted += len(left)
        return deleted, young

    def _created(self, name: str, item: Item, text: str) -> "str | None":
        made = self._calls.call(
            "secretsmanager CreateSecret",
            self._secrets.create_secret,
            EXISTS,
            Name=name,
            SecretString=text,
            KmsKeyId=self._key,
            Tags=[{"Key": key, "Value": value} for key, value in {OF: path_of(item), **self._tags}.items()],
        )
        return str(made["VersionId"]) if made else None

    def _known(self, name: str, text: str) -> "str | None":
        """Return the version of a secret that a run before has just made; None for another secret."""
        described = self._calls.call(
            "secretsmanager DescribeSecret", self._secrets.describe_secret, GONE, SecretId=name
        )
        if not described or described.get("DeletedDate"):
            return None
        if described["CreatedDate"].timestamp() < self._clock() - FRESH:
            return None
        found = self._calls.call(
            "secretsmanager GetSecretValue", self._secrets.get_secret_value, GONE, SecretId=name
        )
        return str(found["VersionId"]) if found and found["SecretString"] == text else None

    def _listed(self) -> Iterator[Any]:
        """Return the secrets of webhooks, as Secrets Manager lists them."""
        request: Any = {"Filters": [{"Key": "name", "Values": [self._prefix]}], "MaxResults": PAGE}
        while True:
            page = self._calls.call("secretsmanager ListSecrets", self._secrets.list_secrets, **request)
            yield from (
                each
                for each in page["SecretList"]
                if each["Name"].startswith(self._prefix) and not each.get("DeletedDate")
            )
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]

    def _with_webhooks(self, listed: "list[Any]") -> "list[tuple[Any, Item]]":
        """Return the secrets whose webhooks exist, with their items as they are now."""
        keys = {each["Name"]: key for each in listed if (key := self._key_in(each["Name"]))}
        wanted = {(key["pk"]["S"], key["sk"]["S"]): key for key in keys.values()}
        found = {
            (item["pk"]["S"], item["sk"]["S"]): item
            for item in self._calls.get_many(self._account.dynamodb, self._table, list(wanted.values()))
        }
        pairs = []
        for each in listed:
            key = keys.get(each["Name"])
            item = found.get((key["pk"]["S"], key["sk"]["S"])) if key else None
            if item and f"{self._prefix}{path_of(item)}" == each["Name"].rpartition("-")[0]:
                pairs.append((each, item))
        return pairs

    def _key_in(self, name: str) -> "Item | None":
        """Return the key of the webhook in a secret's name."""
        try:
            tenant, community, rest = name[len(self._prefix) :].split("/")
            sequence = int(rest[8:16], 16)
        except ValueError:
            return None
        return {"pk": {"S": f"{COMMUNITY}{tenant}#{community}"}, "sk": {"S": f"W#{sequence:010d}"}}

    def _is_left(self, secret: Any, replaced: "set[str]") -> bool:
        if secret["Name"] in replaced:
            return True
        return self._is_ours(secret) and secret["CreatedDate"].timestamp() <= self._clock() - GRACE

    def _is_ours(self, secret: Any) -> bool:
        tags = {each["Key"]: each["Value"] for each in secret.get("Tags", [])}
        return self._tags.items() <= tags.items()
