"""Shared parts of the document: its description, parameters, headers and error messages."""

from collections.abc import Mapping
from typing import Any

from tools.openapi import callback, delivery_examples, examples, replay_examples
from webhooks.domain.delivery import DELIVERY_ID
from webhooks.domain.delivery_message import RELEASE_ID
from webhooks.domain.scope import IDENTIFIER, IDENTIFIER_RULE
from webhooks.domain.webhook import EVENT_NAME_PATTERN, EVENT_NAME_RULE, WEBHOOK_ID
from webhooks.entrypoints.api import limits

DESCRIPTION = """\
Delivers platform events to your endpoints, signed. Register webhooks for the events you care about.

**Authentication.** A request carries three headers, made with your key pair and the service's public key
from `/publickeys`: `publickey` in clear, `licensekey` and `requestid` encrypted. K is the X coordinate of
ECDH(your private key, the service's public key), 32 bytes; a text is encrypted as
base64(IV[16] || AES-256-GCM(K, IV, text) || tag[16]). Encrypted values in responses are made in the same way.

**Repeats.** The exact repeat of a request that changes something (same caller, `uuid`, method, path and body)
gets the first response again and changes nothing twice, as long as the webhook is as the first one left it.

**Callbacks** are described under `webhooks`: their headers, signatures, body and retries. `query` and
`criteria` of a webhook choose its events by their data; docs/filters.md of the project has examples of
each case.

**Errors** have one body, `{"statusCode", "error", "message"}`; the message of a 400 names every wrong field.
Every response has an `x-request-id`.

**Limits.** All requests with licenses of one tenant share a rate, which the deployment sets; further ones get
a 429 with `Retry-After`. A request that reads or changes much, or sends a test event, counts as several.
"""

PARAMETERS: Mapping[str, Any] = {
    **{
        name: {
            "name": name,
            "in": "path",
            "required": True,
            "description": f"ID of {what}: {IDENTIFIER_RULE}.",
            "schema": {"type": "string", "pattern": f"^{IDENTIFIER.pattern}$"},
            "example": example,
        }
        for name, what, example in (
            ("tenantId", "the tenant", "acme"),
            ("communityId", "the community", "default"),
        )
    },
    "webhookId": {
        "name": "webhookId",
        "in": "path",
        "required": True,
        "description": "ID of the webhook.",
        "schema": {"type": "string", "pattern": f"^{WEBHOOK_ID.pattern}$"},
        "example": examples.WEBHOOK_ID,
    },
    "eventName": {
        "name": "eventName",
        "in": "path",
        "required": True,
        "description": f"Name of the event, percent-encoded: {EVENT_NAME_RULE}.",
        "schema": {"type": "string", "pattern": EVENT_NAME_PATTERN},
        "example": "order.paid",
    },
    "deliveryId": {
        "name": "deliveryId",
        "in": "path",
        "required": True,
        "description": "ID of the delivery: the `webhook-id` of its callbacks.",
        "schema": {"type": "string", "pattern": f"^{DELIVERY_ID.pattern}$"},
        "example": delivery_examples.DELIVERY_ID,
    },
    "replayId": {
        "name": "replayId",
        "in": "path",
        "required": True,
        "description": "ID of the replay.",
        "schema": {"type": "string", "pattern": f"^{RELEASE_ID.pattern}$"},
        "example": replay_examples.REPLAY_ID,
    },
    "keyId": {
        "name": "keyId",
        "in": "path",
        "required": True,
        "description": "The key's public key as GET /servicekeys shows it, URL-encoded; or in base64url.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9+/_-]{86}(==)?$"},
        "example": examples.PUBLIC_KEY,
    },
    "method": {
        "name": "method",
        "in": "path",
        "required": True,
        "description": "Whether the text is encrypted or decrypted.",
        "schema": {"type": "string", "enum": ["encrypt", "decrypt"]},
    },
    **{
        name: {
            "name": name,
            "in": "query",
            "description": text,
            "schema": schema,
            "example": example,
        }
        for name, text, schema, example in (
            (
                "since",
                "Only events from this time on, as RFC 3339 writes it, or epoch seconds or milliseconds.",
                {"type": "string"},
                "2026-11-23T22:00:00Z",
            ),
            (
                "until",
                "Only those up to this time, included; now is the default.",
                {"type": "string"},
                "1790000000",
            ),
            (
                "cursor",
                "The `cursor` of the page before.",
                {"type": "string"},
                "xN0d8WJ5d1hYQ0t3YWNtZSNkZWZhdWx0",
            ),
            (
                "size",
                f"How many a page has; {limits.PAGE_SIZE_DEFAULT} is the default.",
                {"type": "integer", "minimum": 1, "maximum": limits.PAGE_SIZE},
                25,
            ),
        )
    },
}

# Never `keyId`, `keySecret` or a license in clear: generated clients would send the private key.
SECURITY: Mapping[str, Any] = {
    name: {"type": "apiKey", "in": "header", "name": name, "description": text}
    for name, text in {
        "licensekey": "License key, encrypted.",
        "requestid": 'JSON `{"appid": string, "uuid": string, "ts": epoch seconds}`, encrypted. `ts` may lie '
        "as many seconds off as `allowed_time_span` of `/environment` says.",
        "publickey": "Your public key: base64 of X||Y, 64 bytes.",
    }.items()
}

# In the order of the document.
TAGS: Mapping[str, str] = {
    "Webhooks": "A webhook says which events go to which endpoint. It belongs to a community of a tenant.",
    "Events": "An event comes from the platform's queue or from here. An explanation says which webhooks get "
    "it, and which do not, and why.",
    "Deliveries": "A delivery is one event for one webhook, with all its attempts. Those that did not arrive "
    "can be sent again.",
    "Health": "How endpoints respond: states, latencies and outcomes over time.",
    "Communities": "The communities of the deployment, for its operator.",
    "Service Key": "The service's own key pairs, for its operator.",
    "ECDSA Helper": "Encrypts and decrypts, for trying the protocol out.",
    "Environment": "Limits and settings of the deployment.",
    "Healthz": "Whether the service works.",
    "Public Key": "The key that requests are encrypted for.",
    "Service Directory": "Addresses of the platform's services.",
    "Well Known config": "Keys under the names that clients expect.",
    "Documentation": "This document, its page, and the console.",
    callback.TAG: "The request that your endpoint gets.",
}

HEADERS: Mapping[str, Any] = {
    "x-request-id": {
        "description": "ID of the request; quote it when you report a problem.",
        "schema": {"type": "string"},
    },
    "Allow": {"description": "The methods that the path has.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}},
}

# An example of each error's message; those of 500 and 503 are fixed.
MESSAGES: Mapping[int, str] = {
    400: "name: is required; retryCount: must be a whole number from 0 to 2",
    401: "licensekey: this license is unknown, expired or disabled",
    403: "this license does not reach this tenant and community",
    404: "webhookId: no such webhook",
    405: "this path has the methods GET, PATCH, DELETE",
    409: "the webhook was changed by others at the same time; send the change again",
    413: f"the body may have {limits.BODY_BYTES} bytes",
    415: "the content type must be application/json",
    429: "this tenant sends more than 50 requests a second; send this one again later",
    500: "",
    503: "",
}

# Other names of fields, by (schema, other name, field), with the schema of a value under that name.
ALIASES: Mapping[tuple[str, str, str], Mapping[str, Any]] = {
    (schema, "eventName", "eventNames"): {
        "oneOf": [
            {"type": "string", "pattern": EVENT_NAME_PATTERN},
            {"$ref": f"#/components/schemas/{schema}/properties/eventNames"},
        ],
    }
    for schema in ("WebhookIn", "WebhookPatch")
} | {("EcdsaIn", "dataStr", "data"): {"type": "string"}}
