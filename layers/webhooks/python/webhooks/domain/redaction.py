"""Redacts a webhook's secrets from its endpoint's responses, as some endpoints echo the request."""

from collections.abc import Iterable, Mapping

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
    for secret in sorted({each for each in secrets if len(each) >= SHORTEST}, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
        for length in range(min(len(secret), len(text)), SHORTEST - 1, -1):
            if text.endswith(secret[:length]):
                text = text[:-length] + REDACTED
                break
    return text
