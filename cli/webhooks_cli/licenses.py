"""The licenses in a deployment's access table, as its operator issues, lists and disables them.

The table has the SHA-256 of a license key, never the key: whoever reads the table can call nothing with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from webhooks.domain.caller import AuthLevel, License
from webhooks_cli.aws import Account, aws_errors
from webhooks_cli.errors import RefusedError, WrongUseError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PREFIX = "license#"
HASH_SHOWN = 12  # characters of a hash: enough to tell licenses apart
HASH_MIN = 8  # of a hash that is given


@dataclass(frozen=True, slots=True)
class Issued:
    """A license with the hash that it is stored under; `issued_at` in epoch seconds."""

    hash: str
    license: License
    issued_at: int


class LicenseTable:
    """The licenses of one deployment."""

    def __init__(self, account: Account) -> None:
        self._table = account.find("accessTable")
        self._dynamodb: DynamoDBClient = account.dynamodb

    def issue(self, key: str, license_: License, *, now: int) -> Issued:
        """Store a license under its key's hash."""
        issued = Issued(sha256(key.encode()).hexdigest(), license_, now)
        with aws_errors("dynamodb PutItem"):
            self._dynamodb.put_item(
                TableName=self._table, Item=_to_item(issued), ConditionExpression="attribute_not_exists(pk)"
            )
        return issued

    def list(self) -> Sequence[Issued]:
        """Return all licenses, the newest first."""
        return sorted((_from_item(item) for item in self._items()), key=lambda each: -each.issued_at)

    def disable(self, name: str) -> Issued:
        """Disable the license of this hash (or its beginning) or label.

        Raises RefusedError where there is none, WrongUseError where there are several.
        """
        found = _choose(name, self.list())
        with aws_errors("dynamodb UpdateItem"):
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"pk": {"S": PREFIX + found.hash}},
                UpdateExpression="SET disabled = :true",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":true": {"BOOL": True}},
            )
        return found

    def _items(self) -> Iterator[dict[str, Any]]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "FilterExpression": "begins_with(pk, :license)",
            "ExpressionAttributeValues": {":license": {"S": PREFIX}},
        }
        while True:
            with aws_errors("dynamodb Scan"):
                answer = self._dynamodb.scan(**request)
            yield from answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _choose(name: str, issued: Sequence[Issued]) -> Issued:
    matching = [
        each
        for each in issued
        if each.license.label == name or (len(name) >= HASH_MIN and each.hash.startswith(name.lower()))
    ]
    enabled = [each for each in matching if not each.license.disabled]
    if not matching:
        raise RefusedError(f"no license has the hash or label {name}: `webhooks license list` shows them")
    if len(enabled) > 1:
        hashes = ", ".join(each.hash[:HASH_SHOWN] for each in enabled)
        raise WrongUseError(f"several licenses are called {name}: give one hash of {hashes}")
    return (enabled or matching)[0]


def _to_item(issued: Issued) -> dict[str, Any]:
    license_ = issued.license
    item: dict[str, Any] = {
        "pk": {"S": PREFIX + issued.hash},
        "authLevel": {"S": license_.auth_level.value},
        "tenantId": {"S": license_.tenant_id},
        "communityId": {"S": license_.community_id},
        "label": {"S": license_.label},
        "disabled": {"BOOL": license_.disabled},
        "issuedAt": {"N": str(issued.issued_at)},
    }
    if license_.expires_at is not None:
        item["validUntil"] = {"N": str(license_.expires_at)}
    return item


def _from_item(item: dict[str, Any]) -> Issued:
    license_ = License(
        auth_level=AuthLevel(item["authLevel"]["S"]),
        tenant_id=item["tenantId"]["S"],
        community_id=item["communityId"]["S"],
        expires_at=int(item["validUntil"]["N"]) if "validUntil" in item else None,
        disabled=item.get("disabled", {}).get("BOOL", False),
        label=item.get("label", {}).get("S", ""),
    )
    return Issued(item["pk"]["S"].removeprefix(PREFIX), license_, int(item.get("issuedAt", {}).get("N", "0")))
