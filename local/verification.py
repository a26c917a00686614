"""Verifies a callback with the service's published keys, and with the original Standard Webhooks library."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
from standardwebhooks import Webhook as StandardWebhook
from standardwebhooks import WebhookVerificationError

from webhooks_verify import InvalidKeyError, VerificationError, verify_callback

FRESH_SECONDS = 60
STANDARD = "standardwebhooks"


@dataclass(frozen=True, slots=True)
class Verification:
    """The schemes that a callback verifies by, and the faults of the others."""

    verified: tuple[str, ...]
    faults: tuple[str, ...]


class Verifier:
    """Fetches the service's keys; reads webhooks' secrets (endpoint URL -> `whsec_...`) from a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._http = urllib3.PoolManager(retries=False, timeout=10)
        self._keys: tuple[str, Mapping[str, Any]] | None = None
        self._fetched = 0.0

    def verify(self, url: str, headers: Mapping[str, str], body: bytes) -> Verification:
        """Verify by each scheme on its own.

        Raises OSError, ValueError, KeyError or urllib3's HTTPError where a key cannot be read.
        """
        known = json.loads(self._file.read_text("utf-8"))
        public_key, jwks = self._published(known["apiUrl"])
        secret = known["secrets"].get(url)
        if secret is None:
            return Verification((), (f"no webhook is known at {url}",))
        verified: list[str] = []
        faults: list[str] = []
        keys: tuple[dict[str, Any], ...] = ({"public_key": public_key}, {"jwks": jwks}, {"secret": secret})
        for key in keys:
            try:
                verified += verify_callback(url=url, headers=headers, body=body, **key)
            except (VerificationError, InvalidKeyError) as error:
                faults.append(str(error))
        try:
            StandardWebhook(secret).verify(body, dict(headers))
            verified.append(STANDARD)
        except (WebhookVerificationError, ValueError) as error:
            faults.append(f"{STANDARD}: {error}")
        return Verification(tuple(verified), tuple(faults))

    def _published(self, api_url: str) -> tuple[str, Mapping[str, Any]]:
        now = time.monotonic()
        if self._keys is None or now - self._fetched > FRESH_SECONDS:
            public_key = self._http.request("GET", f"{api_url}/publickeys").json()["publicKey"]
            jwks = self._http.request("GET", f"{api_url}/.well-known/jwks.json").json()
            self._keys, self._fetched = (public_key, jwks), now
        return self._keys
