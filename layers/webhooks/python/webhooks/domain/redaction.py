"""Takes a webhook's secrets out of what its endpoint answered: some endpoints answer with what they got."""

from collections.abc import Iterable, Mapping

from webhooks.domain.webhook import Credential

REDACTED = "[redacted]"
SHORTEST = 4  # characters: what is shorter stands in any text, and taking it out would tell it


def secrets_of(credential: Credential | None, authorization: Mapping[str, str]) -> list[str]:
    """Return what must not be kept: the credential's secret values, and what was made of them for the header.

    Names are left: that a key's header is missing is what its owner should read.
    """
    made = [value.removeprefix("Basic ").removeprefix("Bearer ") for value in authorization.values()]
    kept = (credential.password, credential.client_secret) if credential else ()
    return [*made, *(value for value in kept if value)]


def redact(text: str, secrets: Iterable[str]) -> str:
    """Take the secrets out of a text, and the start of one where the text was cut off within it."""
    for secret in sorted({each for each in secrets if len(each) >= SHORTEST}, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
        for length in range(min(len(secret), len(text)), SHORTEST - 1, -1):
            if text.endswith(secret[:length]):
                text = text[:-length] + REDACTED
                break
    return text
