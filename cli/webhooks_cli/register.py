"""The register of licenses in a deployment's access table, for its operator.

The service reads these items (`webhooks.adapters.dynamodb.licenses`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from webhooks_cli.aws import Account, aws_errors
from webhooks_cli.errors import UnreachableError
from webhooks_cli.license import License, hash_license_key

PREFIX = "license#"
ATTRIBUTES = ("pk", "authLevel", "tenantId", "communityId", "disabled", "label", "issuedAt", "validUntil")
Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Issued:
    """A license with the hash of its key; `issued_at` in epoch seconds."""

    hash: str
    license: License
    issued_at: int


class LicenseRegister:
    """Issues, lists and disables licenses; needs permissions that no function has."""

    def __init__(self, account: Account) -> None:
        self._table = account.find("accessTable")
        self._dynamodb = account.dynamodb

    def issue(self, license_key: str, license_: License, *, now: int) -> Issued:
        """Store a license under its key's hash. Raises CliError, also for a key that is issued already."""
        issued = Issued(hash_license_key(license_key), license_, now)
        with aws_errors("dynamodb PutItem"):
            self._dynamodb.put_item(
                TableName=self._table, Item=to_item(issued), ConditionExpression="attribute_not_exists(pk)"
            )
        return issued

    def list(self) -> list[Issued]:
        """Return every license, expired and disabled ones too, the newest first."""
        with aws_errors("dynamodb Scan"):
            found = [from_item(item) for item in self._items()]
        return sorted(found, key=lambda each: (-each.issued_at, each.hash))

    def disable(self, digest: str) -> None:
        with aws_errors("dynamodb UpdateItem"):
            self._dynamodb.update_item(
                TableName=self._table,
                Key=_key(digest),
                UpdateExpression="SET disabled = :true",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":true": {"BOOL": True}},
            )

    def _items(self) -> Iterator[Item]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "FilterExpression": "begins_with(#pk, :prefix)",
            "ExpressionAttributeValues": {":prefix": {"S": PREFIX}},
            # By name, as the operator's policy asks: the table also has other items, of other attributes.
            "Select": "SPECIFIC_ATTRIBUTES",
            "ProjectionExpression": ", ".join(f"#{name}" for name in ATTRIBUTES),
            "ExpressionAttributeNames": {f"#{name}": name for name in ATTRIBUTES},
        }
        while True:
            page = self._dynamodb.scan(**request)
            yield from page["Items"]
            if not page.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _key(digest: str) -> Item:
    return {"pk": {"S": PREFIX + digest}}


def to_item(issued: Issued) -> Item:
    license_ = issued.license
    item: Item = _key(issued.hash) | {
        "authLevel": {"S": str(license_.auth_level)},
        "tenantId": {"S": license_.tenant_id},
        "communityId": {"S": license_.community_id},
        "disabled": {"BOOL": license_.disabled},
        "label": {"S": license_.label},
        "issuedAt": {"N": str(issued.issued_at)},
    }
    if license_.expires_at is not None:
        item["validUntil"] = {"N": str(license_.expires_at)}
    return item


def from_item(item: Item) -> Issued:
    try:
        license_ = License(
            auth_level=item["authLevel"]["S"],
            tenant_id=item["tenantId"]["S"],
            community_id=item["communityId"]["S"],
            expires_at=int(item["validUntil"]["N"]) if "validUntil" in item else None,
            disabled=item["disabled"]["BOOL"],
            label=item["label"]["S"],
        )
        return Issued(
            hash=item["pk"]["S"].removeprefix(PREFIX),
            license=license_,
            issued_at=int(item.get("issuedAt", {}).get("N", "0")),
        )
    except (KeyError, ValueError, TypeError):
        raise UnreachableError("the access table: a stored license cannot be read") from None
