"""A credential as the text that is stored: in a secret, or sealed."""

import json

from webhooks.domain.forms import CREDENTIAL, VERSION
from webhooks.domain.webhook import Credential


def write_credential(credential: Credential) -> str:
    """Write a credential as JSON.

    Escaped, characters beyond ASCII would take up to three times the room: more than a secret has (64 KiB).
    """
    return json.dumps(credential.to_mapping(), ensure_ascii=False, separators=(",", ":"))


def read_credential(text: str) -> Credential | None:
    """Read a credential; None for a text that is none. Raises NewerFormError."""
    try:
        values = json.loads(text)
        if isinstance(values, dict):
            CREDENTIAL.require_known(values.pop(VERSION, 1))
    except ValueError:
        return None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        return None
    return Credential.from_mapping(values)
