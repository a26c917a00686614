"""Redacts a webhook's secrets from its endpoint's responses, as some endpoints echo the request."""

import json
from collections.abc import Iterable, Mapping
from html import escape
from urllib.parse import quote, quote_plus

from webhooks.domain.webhook import Credential

REDACTED = "[redacted]"
SHORTEST = 4  # characters: a shorter secret stands in any text, and its redaction would tell it


def secrets_of(credential: Credential | None, authorization: Mapping[str, str]) -> list[str]:
    """Return the credential's secret values, and their forms in the header that was sent.

    Names are left: the tenant should read that a key's header is missing.
    """
    sent = [value.removeprefix("Basic ").removeprefix("Bearer ") for value in authorization.values()]
    values = (credential.password, credential.client_secret) if credential else ()
    return [*sent, *(value for value in values if value)]


def redact(text: str, secrets: Iterable[str]) -> str:
    """Take the secrets out of a text, and the start of one where the text was cut off within it."""
    if not text:
        return text
    forms = {form for each in secrets if len(each) >= SHORTEST for form in _forms(each)}
    for secret in sorted(forms, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
        for length in range(min(len(secret), len(text)), SHORTEST - 1, -1):
            if text.endswith(secret[:length]):
                text = text[:-length] + REDACTED
                break
    return text


def _forms(secret: str) -> set[str]:
    """Return a secret as JSON, URLs and HTML write it, as an endpoint may that echoes it."""
    texts = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], escape(secret)}
    texts |= {text.replace("/", "\\/") for text in texts}
    quoted = {quote(secret, safe="", errors="replace"), quote(secret, errors="replace")}
    quoted.add(quote_plus(secret, errors="replace"))
    return texts | quoted | {_lower_hex(text) for text in quoted}


def _lower_hex(text: str) -> str:
    """Return a percent-encoded text with its escapes in lower case."""
    first, *rest = text.split("%")
    return "%".join((first, *(each[:2].lower() + each[2:] for each in rest)))
