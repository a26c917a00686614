"""Limits of requests: /environment shows them, the schemas keep to them."""

from typing import Final

from webhooks.domain.endpoint_url import MAX_URL_LENGTH
from webhooks.domain.event import MAX_BODY_BYTES
from webhooks.domain.json_equality import MAX_DEPTH
from webhooks.domain.webhook import MAX_EVENT_NAME

BODY_BYTES: Final = 64 * 1024
# Of a request that publishes an event: base64 of an envelope with the largest, and the fields beside it.
EVENT_BODY_BYTES: Final = MAX_BODY_BYTES * 4 // 3 + 4096
EVENT_NAMES: Final = 50
EVENT_NAME_LENGTH: Final = MAX_EVENT_NAME
NAME_LENGTH: Final = 256
TAGS: Final = 20
TAG_LENGTH: Final = 64
QUERY_OBJECTS: Final = 20
QUERY_CONDITIONS: Final = 20  # in each object
QUERY_FIELD_LENGTH: Final = 256
QUERY_BYTES: Final = 8 * 1024  # as JSON text: it goes into every index entry
QUERY_NODES: Final = (
    500  # objects, arrays and values: each costs fan-out memory and time, however few its bytes
)
QUERY_DEPTH: Final = MAX_DEPTH  # of a value that is compared
URL_LENGTH: Final = MAX_URL_LENGTH
SCOPES: Final = 20
SCOPE_LENGTH: Final = 128
CREDENTIAL_LENGTH: Final = 4096
CODES: Final = 50
RETRIES: Final = 2
TTL_SECONDS: Final = 5
RATE_LIMIT: Final = 1000  # deliveries per second
PAGE_SIZE: Final = 100
PAGE_SIZE_DEFAULT: Final = 25
HEALTH_WEBHOOKS: Final = 25  # whose health one request asks for
PAGE_INDEX: Final = 1_000_000_000

# As /environment shows them.
SHOWN: Final = {
    "bodyBytes": BODY_BYTES,
    "eventBodyBytes": EVENT_BODY_BYTES,
    "eventNames": EVENT_NAMES,
    "eventNameLength": EVENT_NAME_LENGTH,
    "nameLength": NAME_LENGTH,
    "tags": TAGS,
    "tagLength": TAG_LENGTH,
    "queryObjects": QUERY_OBJECTS,
    "queryConditions": QUERY_CONDITIONS,
    "queryFieldLength": QUERY_FIELD_LENGTH,
    "queryBytes": QUERY_BYTES,
    "queryNodes": QUERY_NODES,
    "queryDepth": QUERY_DEPTH,
    "urlLength": URL_LENGTH,
    "oAuthScopes": SCOPES,
    "oAuthScopeLength": SCOPE_LENGTH,
    "credentialValueLength": CREDENTIAL_LENGTH,
    "successCodes": CODES,
    "retryCodes": CODES,
    "retryCount": RETRIES,
    "ttl": TTL_SECONDS,
    "rateLimit": RATE_LIMIT,
    "pageSize": PAGE_SIZE,
    "healthWebhooks": HEALTH_WEBHOOKS,
}
