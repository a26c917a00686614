"""Finds secrets in texts, in every form that a program would write them in."""

import base64
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

SHORTEST = 8  # characters of a form that is still a finding and no coincidence


def forms(secret: bytes) -> set[str]:
    """Return the texts that hold a secret: itself, hex, base64 and percent-encoded, also within a longer text."""
    found = {secret.hex(), secret.hex().upper()}
    for shift in range(3):
        # In the base64 of a longer text it stands at one of three places: without the characters at its ends,
        # which depend on the bytes beside it.
        text = base64.b64encode(b"\0" * shift + secret).decode()
        inner = text[-(-shift * 8 // 6) : (shift + len(secret)) * 8 // 6]
        found |= {inner, inner.replace("+", "-").replace("/", "_")}
    try:
        plain = secret.decode()
    except UnicodeDecodeError:
        plain = ""
    if plain.isprintable() and plain:
        found |= {plain, quote(plain, safe=""), quote_plus(plain)}
    encoded = base64.b64encode(secret).decode()
    return {each for each in found | {quote(encoded, safe="")} if len(each) >= SHORTEST}


def leaks(secrets: Mapping[str, bytes], texts: Iterable[str]) -> list[str]:
    """Name the secrets that a text holds."""
    joined = "\n".join(texts)
    return [name for name, secret in secrets.items() if any(form in joined for form in forms(secret))]
