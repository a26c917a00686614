"""The headers of a callback's attempt, as they can be shown later: without the values of its signatures."""

from collections.abc import Mapping
from typing import Final

from signing import content_digest
from webhooks.domain.delivery_log import LogEntry
from webhooks.services.dispatch.callback_request import CONTENT_TYPE, USER_AGENT

LEFT_OUT: Final = "[left out]"  # a signature, or a value that nothing tells any more


def sent_headers(entry: LogEntry, number: int, *, payload: str | None) -> Mapping[str, str]:
    """Return the headers of an attempt by its number, from 1; not those of the endpoint's authentication.

    `payload`: the callback's body where it is kept: the digest is computed from it.
    """
    attempt = entry.delivery.attempts[number - entry.delivery.earlier - 1]
    return {
        "Content-Type": CONTENT_TYPE,
        "User-Agent": USER_AGENT,
        "Accept": "*/*",
        "webhook-attempt": str(number),
        "webhook-id": entry.delivery.id,
        "webhook-timestamp": str(attempt.at // 1000),
        "webhook-signature": LEFT_OUT,
        "Content-Digest": LEFT_OUT if payload is None else content_digest(payload.encode()),
        "Signature-Input": LEFT_OUT,
        "Signature": LEFT_OUT,
    }
