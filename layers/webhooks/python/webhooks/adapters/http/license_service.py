"""Licenses of the platform's License service, read over HTTPS with our own service key.

A verdict is for one license in one community of one tenant, and is cached as that. A Lambda instance works on
one request at a time, so each asks one question at a time.
"""

import json
import re
from typing import Any
from urllib.parse import quote
from uuid import UUID

import urllib3

from signing import IV_BYTES, PublicKey, SigningError, seal, shared_key
from webhooks.adapters.ttl_cache import TtlCache
from webhooks.domain.caller import ANY, AuthLevel, License, TenantlessLicense, hash_license_key
from webhooks.domain.errors import UnavailableError
from webhooks.domain.scope import Scope
from webhooks.domain.timestamps import epoch_seconds, seconds_of
from webhooks.ports import Clock, KeyStore, Licenses, RandomBytes

APP_ID = "webhooks"
KEY_SECONDS = 600
LICENSE_SECONDS = 600
REFUSAL_SECONDS = 30
CACHE_SIZE = 1024  # of licenses, and as many refusals: callers without a license push out none that hold
TIMEOUT = urllib3.Timeout(connect=2, read=3, total=4)
MAX_RESPONSE = 64 * 1024  # bytes
OK = 200
# As a part of a path they mean another path, however they are encoded (RFC 3986, 5.2.4): no such community.
FOLDERS = frozenset({".", ".."})


class LicenseService:
    """Asks the service at `url` about licenses in a community. A request that names no community is for the
    deployment itself: there `own`, the deployment's licenses, count and no others.
    """

    def __init__(
        self, url: str, *, own: Licenses, keys: KeyStore, clock: Clock, random_bytes: RandomBytes
    ) -> None:
        self._url = url.rstrip("/")
        self._own = own
        self._keys = keys
        self._clock = clock
        self._random_bytes = random_bytes
        self._http = urllib3.PoolManager(timeout=TIMEOUT, retries=False)
        self._public_key: TtlCache[str, str] = TtlCache(1, clock=clock)
        self._licenses: TtlCache[tuple[str, Scope], License] = TtlCache(CACHE_SIZE, clock=clock)
        self._refusals: TtlCache[tuple[str, Scope], None] = TtlCache(CACHE_SIZE, clock=clock)

    def find(self, license_key: str, scope: Scope | None) -> License | None:
        """Return the key's license in the community, or None.

        Raises UnavailableError where the service does not say.
        """
        if scope is None:
            return self._own.find(license_key, None)
        if scope.community_id in FOLDERS:
            return None
        key = (hash_license_key(license_key), scope)
        if known := self._licenses.get(key):
            return known[0]
        if self._refusals.get(key):
            return None
        license_ = self._ask(license_key, scope)
        if license_ is None:
            self._refusals.put(key, None, seconds=REFUSAL_SECONDS)
        else:
            self._licenses.put(key, license_, seconds=LICENSE_SECONDS)
        return license_

    def close(self) -> None:
        """Close all connections."""
        self._http.clear()

    def _ask(self, license_key: str, scope: Scope) -> License | None:
        path = f"/community/{quote(scope.community_id, safe='')}/licensecheck"
        known = self._public_key.get(self._url)
        peer = known[0] if known else self._their_key()
        response = self._get(path, self._headers(license_key, peer))
        if "isAuthorized" not in response and known:
            # Their key may be another since we asked for it: once more, with the one of now.
            response = self._get(path, self._headers(license_key, self._their_key()))
        return _read_verdict(response, scope)

    def _their_key(self) -> str:
        peer = self._get("/publickeys", {}).get("publicKey")
        if not isinstance(peer, str):
            raise UnavailableError("the License service shows no public key")
        self._public_key.put(self._url, peer, seconds=KEY_SECONDS)
        return peer

    def _headers(self, license_key: str, peer: str) -> dict[str, str]:
        now = self._clock()
        own = self._keys.read().in_use(now)
        request_id = {
            "ts": int(now),
            "appid": APP_ID,
            "uuid": str(UUID(bytes=self._random_bytes(16), version=4)),
        }
        try:
            key = shared_key(own, PublicKey.from_base64(peer, own.curve))
            return {
                "publickey": own.public_key.to_base64(),
                "licensekey": seal(key, license_key, self._random_bytes(IV_BYTES)),
                "requestid": seal(key, json.dumps(request_id), self._random_bytes(IV_BYTES)),
            }
        except SigningError:
            raise UnavailableError("the License service's public key cannot be used") from None

    def _get(self, path: str, headers: dict[str, str]) -> dict[str, Any]:
        """Return the JSON object of the response; an empty one for all but 200 and refusals."""
        try:
            response = self._http.request(
                "GET",
                self._url + path,
                headers=headers,
                redirect=False,
                preload_content=False,
            )
            with response:
                text = response.read(MAX_RESPONSE, decode_content=True)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise UnavailableError(f"the License service: {type(error).__name__}") from None
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict) or not isinstance(content.get("isAuthorized", True), bool):
            return {}
        return content if response.status == OK or not content.get("isAuthorized", True) else {}


def _read_verdict(response: dict[str, Any], scope: Scope) -> License | None:
    """Read the verdict on a license. A tenant or community that it names must be the one in the path.

    One that names no tenant counts for the tenant in the path: the platform's community ids are then unique
    over its tenants, which is for the operator to know (template parameter LicensesUrl).
    """
    try:
        if not response["isAuthorized"]:
            return None
        named = (response.get("tenantId"), scope.tenant_id), (response.get("communityId"), scope.community_id)
        if any(name not in (None, ANY, asked) for name, asked in named):
            return None
        kind = TenantlessLicense if response.get("tenantId") in (None, ANY) else License
        return kind(
            auth_level=AuthLevel(response["authLevel"]),
            tenant_id=scope.tenant_id,
            community_id=scope.community_id,
            expires_at=_expires_at(response.get("expiry")),
        )
    except (KeyError, ValueError, TypeError, OverflowError):
        raise UnavailableError("the License service gave an answer that cannot be read") from None


def _expires_at(expiry: Any) -> int | None:
    """Read an end: ISO 8601, epoch seconds or epoch milliseconds, as a number or a text; None for never."""
    if expiry is None:
        return None
    if isinstance(expiry, str) and not re.fullmatch(r"[0-9]+", expiry, re.ASCII):
        seconds = epoch_seconds(expiry)
        if seconds is None:
            raise ValueError
        return int(seconds)
    if isinstance(expiry, bool):
        raise TypeError
    return int(seconds_of(float(expiry)))
