"""The callback that a webhook's endpoint gets, as the document's `webhooks` section."""

from collections.abc import Mapping
from typing import Any

from webhooks.domain.retry import MAX_DELAY
from webhooks.domain.scope import IDENTIFIER
from webhooks.domain.webhook import EVENT_NAME_PATTERN

TAG = "Callback"

TEXT = f"""\
Sent to `api.url` by the method in `api.type`, once for each event that the webhook matches, with the
endpoint's own authentication (`authType`). Beside the headers below it has `Accept: */*`,
`Content-Type: application/json` and `User-Agent`. The body is one line of UTF-8.

**Signatures.** Each of three proofs covers the exact bytes of the body: check one, before parsing.
1. `webhook-signature`, a token `v1,<base64>`: HMAC-SHA256 with the webhook's `whsec_` secret, over
   `<webhook-id>.<webhook-timestamp>.<body>`. Every Standard Webhooks library verifies it. For 24 hours after
   a rotation there is a token of each secret: accept any.
2. `webhook-signature`, a token `es256k,<base64>` (`es256,` where the curve is P-256): ECDSA with SHA-256 over
   the same content, raw r||s, by the key of `/publickeys`. While a key is replaced there is a token of each:
   accept any.
3. `Signature` and `Signature-Input` (RFC 9421) over method, URL, `Content-Digest` (RFC 9530), content type,
   id and timestamp, by a key of `/.well-known/jwks.json`.

Then check that `webhook-timestamp` is recent.

**Delivery.** At least once: `webhook-id` is the same for every attempt and for every repeat of the event, so
a callback whose id you have handled needs only a success code. The endpoint has `ttl` seconds, from the
lookup of its name to the last byte of its response. Responses of up to 64 KiB are read, redirects are not
followed.

**Retries.** An event is sent again at most `retryCount` times, where the status is one of `retryCodes`: by
default no response at all, 408, 425, 429 and every 5xx but 501 and 505. The deployment sets the delays, by
default 30 seconds and then 5 minutes. `Retry-After` (seconds or a date) counts, up to {MAX_DELAY} seconds.
Every other response, and the last one, ends the delivery in the dead-letter queue.
"""


def _header(name: str, text: str, example: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": text,
        "schema": {"type": "string"},
        "example": example,
    }


_ID = "6923a9e2000000000000001f-3f1c0b6f4c0f5b7f0f6f7a0f1d2c3b4a"
_HEADERS = (
    _header(
        "webhook-id", "ID of the delivery: the same for every attempt and every repeat of the event.", _ID
    ),
    _header("webhook-timestamp", "Time of this attempt's signature, in epoch seconds.", "1790000000"),
    _header(
        "webhook-signature",
        "Tokens `<version>,<base64>` with a space between them; one that verifies is enough.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4= es256k,3q2+7w==",
    ),
    _header("webhook-attempt", "The attempt's number, from 1.", "1"),
    _header(
        "Content-Digest",
        "SHA-256 of the body (RFC 9530).",
        "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:",
    ),
    _header(
        "Signature-Input",
        "Components that the signature covers, and its key (RFC 9421).",
        'webhook=("@method" "@target-uri" "content-digest" "content-type" "webhook-id" "webhook-timestamp")'
        ';created=1790000000;keyid="oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U";alg="ecdsa-p256-sha256";tag="webhook"',
    ),
    _header("Signature", "The signature, raw r||s (RFC 9421).", "webhook=:3q2+7w==:"),
)

BODY: Mapping[str, Any] = {
    "type": "object",
    "description": "An event. New fields may come.",
    "required": ["id", "type", "timestamp", "tenantId", "communityId", "data"],
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 256, "description": "The event's id."},
        "type": {"type": "string", "pattern": EVENT_NAME_PATTERN, "description": "The event's name."},
        "timestamp": {
            "type": "string",
            "format": "date-time",
            "description": "Time of the event, in UTC to the millisecond.",
        },
        "tenantId": {
            "type": "string",
            "pattern": f"^{IDENTIFIER.pattern}$",
            "description": "The event's tenant.",
        },
        "communityId": {
            "type": "string",
            "pattern": f"^{IDENTIFIER.pattern}$",
            "description": "The event's community.",
        },
        "data": {
            "type": "object",
            "description": "The event's data, copied as it was published: number literals, order of fields, "
            "escapes. A reader that keeps numbers as doubles may lose digits.",
        },
    },
}
EXAMPLE: Mapping[str, Any] = {
    "id": "5f2b8f9e-0b1d-4c57-9d0e-1f2a3b4c5d6e",
    "type": "order.paid",
    "timestamp": "2026-11-23T22:24:38.123Z",
    "tenantId": "acme",
    "communityId": "default",
    "data": {"orderId": "A-1001", "currency": "EUR", "total": 129.95},
}
_RETRY_AFTER = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
_RESPONSES: Mapping[str, Any] = {
    "2XX": {"description": "Taken, where the status is one of `successCodes`; else it ends the delivery."},
    "3XX": {"description": "Not followed: a response like any other. Its location is in the log."},
    "408": {"description": "Tried again by default, as are 425 and 429.", "headers": _RETRY_AFTER},
    "410": {"description": "Disables the webhook, unless it is one of `successCodes`."},
    "4XX": {"description": "Ends the delivery, unless it is one of `retryCodes`."},
    "501": {"description": "Ends the delivery by default, as does 505."},
    "5XX": {"description": "Tried again by default.", "headers": _RETRY_AFTER},
}


def callback() -> dict[str, Any]:
    """Return the `webhooks` section."""
    operation = {
        "operationId": "callback",
        "tags": [TAG],
        "summary": "An event happened that a webhook matches.",
        "description": TEXT,
        "parameters": list(_HEADERS),
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/Callback"},
                    "examples": {"an event": {"value": EXAMPLE}},
                }
            },
        },
        "responses": _RESPONSES,
    }
    return {"event": {"post": operation}}
