"""Licenses as the platform's License service knows them, asked over HTTPS with our own service key."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import urllib3

from signing import PublicKey, SigningError, seal, shared_key
from webhooks.adapters.expiring import Expiring
from webhooks.adapters.licenses import hash_license_key
from webhooks.domain.caller import AuthLevel, License
from webhooks.domain.errors import UnavailableError
from webhooks.ports import Clock, Entropy, KeyStore

APP_ID = "webhooks"
KEY_SECONDS = 600
VERDICT_SECONDS = 600
CACHE_SIZE = 1024
TIMEOUT = urllib3.Timeout(connect=2, read=3, total=4)
MAX_ANSWER = 64 * 1024  # bytes
MILLISECONDS_FROM = 100_000_000_000  # from here on a number of seconds would be in the year 5138
OK = 200
# As a part of a path they mean another path, however they are encoded (RFC 3986, 5.2.4): no such community.
FOLDERS = frozenset({".", ".."})

type Verdict = License | None


class LicenseService:
    """Asks the service at `url`; `home_community` is named where a request names none."""

    def __init__(
        self, url: str, *, keys: KeyStore, home_community: str, clock: Clock, entropy: Entropy
    ) -> None:
        self._url = url.rstrip("/")
        self._keys = keys
        self._home_community = home_community
        self._clock = clock
        self._entropy = entropy
        self._http = urllib3.PoolManager(timeout=TIMEOUT, retries=False)
        self._public_key: Expiring[str, str] = Expiring(1, clock=clock)
        self._verdicts: Expiring[tuple[str, str], Verdict] = Expiring(CACHE_SIZE, clock=clock)

    def find(self, license_key: str, community_id: str | None) -> License | None:
        """Return what the key stands for in the community, None where it stands for nothing.

        Raises UnavailableError where the service does not say.
        """
        community = community_id or self._home_community
        if community in FOLDERS:
            return None
        place = (hash_license_key(license_key), community)
        if known := self._verdicts.get(place):
            return known[0]
        verdict = self._ask(license_key, community)
        self._verdicts.put(place, verdict, seconds=VERDICT_SECONDS)
        return verdict

    def close(self) -> None:
        """Close all connections."""
        self._http.clear()

    def _ask(self, license_key: str, community: str) -> Verdict:
        path = f"/community/{quote(community, safe='')}/licensecheck"
        known = self._public_key.get(self._url)
        peer = known[0] if known else self._their_key()
        answer = self._get(path, self._headers(license_key, peer))
        if "isAuthorized" not in answer and known:
            # Their key may be another since we asked for it: once more, with the one of now.
            answer = self._get(path, self._headers(license_key, self._their_key()))
        return _read_verdict(answer, community)

    def _their_key(self) -> str:
        peer = self._get("/publickeys", {}).get("publicKey")
        if not isinstance(peer, str):
            raise UnavailableError("the License service shows no public key")
        self._public_key.put(self._url, peer, seconds=KEY_SECONDS)
        return peer

    def _headers(self, license_key: str, peer: str) -> dict[str, str]:
        own = self._keys.read().current
        request_id = {
            "ts": int(self._clock()),
            "appid": APP_ID,
            "uuid": str(UUID(bytes=self._entropy(16), version=4)),
        }
        try:
            key = shared_key(own, PublicKey.from_wire(peer, own.curve))
            return {
                "publickey": own.public_key.to_wire(),
                "licensekey": seal(key, license_key, self._entropy(16)),
                "requestid": seal(key, json.dumps(request_id), self._entropy(16)),
            }
        except SigningError:
            raise UnavailableError("the License service's public key cannot be used") from None

    def _get(self, path: str, headers: dict[str, str]) -> dict[str, Any]:
        """Return the JSON object that the service answers; an empty one for all but 200 and refusals."""
        try:
            answer = self._http.request(
                "GET",
                self._url + path,
                headers=headers,
                redirect=False,
                preload_content=False,
            )
            with answer:
                text = answer.read(MAX_ANSWER, decode_content=True)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise UnavailableError(f"the License service: {type(error).__name__}") from None
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict) or not isinstance(content.get("isAuthorized", True), bool):
            return {}
        return content if answer.status == OK or not content.get("isAuthorized", True) else {}


def _read_verdict(answer: dict[str, Any], community: str) -> Verdict:
    try:
        if not answer["isAuthorized"]:
            return None
        return License(
            auth_level=AuthLevel(answer["authLevel"]),
            community_id=community,
            expires_at=_epoch_seconds(answer.get("expiry")),
        )
    except (KeyError, ValueError, TypeError, OverflowError):
        raise UnavailableError("the License service gave an answer that cannot be read") from None


def _epoch_seconds(expiry: Any) -> int | None:
    """Read an end: ISO 8601, epoch seconds or epoch milliseconds, as a number or a text; None for never."""
    if expiry is None:
        return None
    if isinstance(expiry, str) and not re.fullmatch(r"[0-9]+", expiry, re.ASCII):
        moment = datetime.fromisoformat(expiry)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    if isinstance(expiry, bool):
        raise TypeError
    seconds = float(expiry)
    return int(seconds / 1000 if seconds >= MILLISECONDS_FROM else seconds)
