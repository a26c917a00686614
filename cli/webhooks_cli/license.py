"""Licenses, with the values and rules of the service.

The command has its own copy, as it runs without the service's packages. A test keeps the two alike.
"""

import re
from dataclasses import dataclass
from hashlib import sha256

LEVELS = ("system", "service", "service_ext")
SYSTEM = LEVELS[0]
ANY = "*"
IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
IDENTIFIER_RULE = "1 to 64 letters, digits, '.', '_' or '-'"
TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]*")
TEXT_RULE = "no control characters, line separators or bidi overrides"


@dataclass(frozen=True, slots=True)
class License:
    """`expires_at`: epoch seconds, None for never; `*` as tenant and community: all of them."""

    auth_level: str
    tenant_id: str = ANY
    community_id: str = ANY
    expires_at: int | None = None
    disabled: bool = False
    label: str = ""

    def is_expired(self, now: float) -> bool:
        return self.expires_at is not None and now >= self.expires_at


def hash_license_key(license_key: str) -> str:
    """Return the hash that the table keeps a license by; a key is random, so it needs no salt."""
    return sha256(license_key.encode("utf-8", "surrogatepass")).hexdigest()
