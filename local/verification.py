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

from signing import (
    Curve,
    InvalidKeyError,
    PublicKey,
    VerificationError,
    decode_webhook_secret,
    verify_callback,
)

FRESH_SECONDS = 60
STANDARD = "standardwebhooks"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The schemes that a callback verifies by, and the errors of the others."""

    verified: tuple[str, ...]
    wrong: tuple[str, ...]


class Verifier:
    """Fetches the service's keys from its API; reads secrets (endpoint URL -> whsec_) from a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._http = urllib3.PoolManager(retries=False, timeout=10)
        self._keys: tuple[PublicKey, Mapping[str, Any]] | None = None
        self._fetched = 0.0

    def verify(self, url: str, headers: Mapping[str, str], body: bytes) -> Verdict:
        """Verify by each scheme separately."""
        known = json.loads(self._file.read_text("utf-8"))
        service_key, jwks = self._published(known["apiUrl"])
        secret = known["secrets"].get(url, "")
        verified: list[str] = []
        wrong: list[str] = []
        for key in ({"service_key": service_key}, {"jwks": jwks}, {"webhook_secret": _decoded(secret)}):
            chosen: dict[str, Any] = {"service_key": None, "jwks": None, "webhook_secret": None} | key
            try:
                verified += verify_callback(
                    method="POST", url=url, headers=headers, body=body, now=int(time.time()), **chosen
                )
            except VerificationError as error:
                wrong.append(str(error))
        try:
            StandardWebhook(secret).verify(body, dict(headers))
            verified.append(STANDARD)
        except (WebhookVerificationError, ValueError) as error:
            wrong.append(f"{STANDARD}: {error}")
        return Verdict(tuple(verified), tuple(wrong))

    def _published(self, api_url: str) -> tuple[PublicKey, Mapping[str, Any]]:
        now = time.monotonic()
        if self._keys is None or now - self._fetched > FRESH_SECONDS:
            public_key = self._http.request("GET", f"{api_url}/publickeys").json()["publicKey"]
            jwks = self._http.request("GET", f"{api_url}/.well-known/jwks.json").json()
            self._keys, self._fetched = (_public_key(public_key), jwks), now
        return self._keys


def _public_key(text: str) -> PublicKey:
    for curve in Curve:
        try:
            return PublicKey.from_wire(text, curve)
        except InvalidKeyError:
            continue
    raise ValueError("the key of /publickeys is on neither curve")


def _decoded(secret: str) -> bytes | None:
    return decode_webhook_secret(secret) if secret else None
