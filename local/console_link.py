"""The link that opens the console ready to use, with the local caller's keys and license."""

import base64
import json
from pathlib import Path
from typing import Any

from local.stack_file import read


def ready_link(description: dict[str, Any], caller_file: Path) -> str | None:
    """Return the link for the `system` license; None where the caller has no key pair yet.

    The console takes such a link on addresses of this machine only, and removes it from the address bar.
    """
    caller = read(caller_file)
    license_key = description.get("licenses", {}).get("system")
    if not caller or not license_key:
        return None
    given = {
        "keyId": caller["publicKey"],
        "keySecret": caller["privateKey"],
        "license": license_key,
        "tenant": description["tenantId"],
        "community": description["communityId"],
    }
    packed = base64.urlsafe_b64encode(json.dumps(given, separators=(",", ":")).encode()).decode().rstrip("=")
    return f"{description['apiUrl']}/console#/connect?ready={packed}"
