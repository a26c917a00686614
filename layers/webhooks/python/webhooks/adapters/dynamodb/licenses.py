"""Licenses in the access table, each under the hash of its key: the key itself is stored nowhere."""

from webhooks.adapters.dynamodb.items import Item, key, require_form
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.ttl_cache import TtlCache
from webhooks.domain.caller import AuthLevel, License, hash_license_key
from webhooks.domain.errors import UnavailableError
from webhooks.domain.forms import LICENSE
from webhooks.domain.scope import Scope
from webhooks.ports import Clock

PREFIX = "license#"
CACHE_SIZE = 1024
KNOWN_SECONDS = 60  # a license that is disabled or issued anew may count as before for so long
UNKNOWN_SECONDS = 5  # so that a license works soon after it was issued


class TableLicenses:
    """Finds the licenses behind license keys."""

    def __init__(self, table: Table, *, clock: Clock) -> None:
        self._table = table
        self._cache: TtlCache[str, License | None] = TtlCache(CACHE_SIZE, clock=clock)

    def find(self, license_key: str, scope: Scope | None) -> License | None:  # noqa: ARG002 - the port's
        """Return the key's license, None if it was never issued. The scope plays no part here."""
        digest = hash_license_key(license_key)
        if known := self._cache.get(digest):
            return known[0]
        item = self._table.get_eventually(key(PREFIX + digest))
        license_ = license_from(item) if item else None
        self._cache.put(digest, license_, seconds=KNOWN_SECONDS if license_ else UNKNOWN_SECONDS)
        return license_


def license_from(item: Item) -> License:
    """Read a license. Raises UnavailableError for any other item.

    Its end is `validUntil`: the table deletes by `expiresAt`, and an expired license shall stay listed.
    """
    try:
        require_form(item, LICENSE)
        return License(
            auth_level=AuthLevel(item["authLevel"]["S"]),
            tenant_id=item["tenantId"]["S"],
            community_id=item["communityId"]["S"],
            expires_at=int(item["validUntil"]["N"]) if "validUntil" in item else None,
            disabled=item["disabled"]["BOOL"],
            label=item["label"]["S"],
        )
    except (KeyError, ValueError, TypeError):
        raise UnavailableError("the access table: a stored license cannot be read") from None
