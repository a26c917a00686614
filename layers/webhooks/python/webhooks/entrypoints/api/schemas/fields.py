"""The types of requests' fields, each with a sentence about its right values.

Constraints are pydantic's own wherever it has them: they cost a tenth of a validator written in Python.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from webhooks.domain.endpoint_url import InvalidUrlError, parse_url
from webhooks.domain.event import EARLIEST, LATEST
from webhooks.domain.json_text import UTF_8, write_json
from webhooks.domain.text import TEXT_PATTERN, TEXT_RULE
from webhooks.domain.timestamps import epoch_seconds, seconds_of
from webhooks.domain.webhook import EVENT_NAME_PATTERN, EVENT_NAME_RULE
from webhooks.entrypoints.api import limits
from webhooks.entrypoints.api.schemas.base import explain, explain_whole, invalid

CODE_MIN, CODE_MAX = 100, 599
NO_RESPONSE = 0
SCOPE = r"[\x21\x23-\x5B\x5D-\x7E]+"  # RFC 6749, section 3.3: scope-token


def _integral(value: Any) -> Any:
    """JSON has one kind of number: 200.0 is 200."""
    if isinstance(value, Decimal) and value == value.to_integral_value() and abs(value) <= limits.PAGE_INDEX:
        return int(value)
    return value


def _url(text: str) -> str:
    try:
        parse_url(text)
    except InvalidUrlError as error:
        sentence = str(error)
    else:
        sentence = "the URL must have no fragment (#...)" if "#" in text else ""
    if sentence:
        raise invalid(sentence)
    return text


def _fits(query: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if any(_depth(value) > limits.QUERY_DEPTH for conditions in query for value in conditions.values()):
        raise ValueError
    if sum(map(_nodes, query)) > limits.QUERY_NODES:
        raise ValueError
    # A lone surrogate is no UTF-8: UnicodeEncodeError is a ValueError.
    if len(write_json(query, UTF_8).encode()) > limits.QUERY_BYTES:
        raise ValueError
    return query


def _depth(value: Any) -> int:
    """Count how deep arrays and objects are nested, without a call per level."""
    depth, level = 0, [value]
    while level := [inner for each in level for inner in _inside(each)]:
        depth += 1
    return depth


def _nodes(value: Any) -> int:
    """Count a value and all that are in it; none is nested deeper than a query may be."""
    if isinstance(value, dict):
        return 1 + sum(map(_nodes, value.values()))
    return 1 + (sum(map(_nodes, value)) if isinstance(value, list) else 0)


def _inside(value: Any) -> Sequence[Any]:
    if isinstance(value, dict):
        return list(value.values()) or [None]
    return (value or [None]) if isinstance(value, list) else ()


def _epoch_ms(value: Any) -> Any:
    """Read a time in text, epoch seconds or epoch milliseconds."""
    seconds: float | None = None
    if isinstance(value, str):
        seconds = epoch_seconds(value)
    elif (
        isinstance(value, int | Decimal)
        and not isinstance(value, bool)
        and -LATEST * 1000 <= value <= LATEST * 1000
    ):
        seconds = seconds_of(float(value))
    if seconds is None or not EARLIEST <= seconds <= LATEST:
        raise ValueError
    return max(0, round(seconds * 1000))


INTEGRAL = BeforeValidator(_integral)
Flag = Annotated[bool, explain("must be true or false")]
Name = Annotated[
    str,
    Field(min_length=1, max_length=limits.NAME_LENGTH, pattern=TEXT_PATTERN),
    explain(f"must be a string of 1 to {limits.NAME_LENGTH} characters, with {TEXT_RULE}"),
]
EventName = Annotated[
    str,
    Field(pattern=EVENT_NAME_PATTERN),
    explain(f"must be a string of {EVENT_NAME_RULE}"),
]
EventNames = Annotated[
    list[EventName],
    Field(min_length=1, max_length=limits.EVENT_NAMES),
    explain(f"must be an array of 1 to {limits.EVENT_NAMES} event names"),
]
Tag = Annotated[
    str,
    Field(min_length=1, max_length=limits.TAG_LENGTH, pattern=TEXT_PATTERN),
    explain(f"must be a string of 1 to {limits.TAG_LENGTH} characters, with {TEXT_RULE}"),
]
Tags = Annotated[
    list[Tag],
    Field(max_length=limits.TAGS),
    explain(f"must be an array of at most {limits.TAGS} tags"),
]
Conditions = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=limits.QUERY_FIELD_LENGTH)], Any],
    Field(min_length=1, max_length=limits.QUERY_CONDITIONS),
    explain_whole(
        f"must be an object of 1 to {limits.QUERY_CONDITIONS} conditions, "
        f"each a field's name of 1 to {limits.QUERY_FIELD_LENGTH} characters and the value it must have"
    ),
]
Query = Annotated[
    list[Conditions],
    Field(max_length=limits.QUERY_OBJECTS),
    AfterValidator(_fits),
    explain(
        f"must be an array of at most {limits.QUERY_OBJECTS} objects, with at most {limits.QUERY_NODES} "
        f"objects, arrays and values in all, as JSON at most {limits.QUERY_BYTES} bytes, nested at most "
        f"{limits.QUERY_DEPTH} deep"
    ),
]
Time = Annotated[
    int,
    BeforeValidator(_epoch_ms),
    WithJsonSchema({"type": ["string", "number"], "format": "date-time"}),
    explain_whole(
        "must be a time as RFC 3339 and ISO 8601 write it, such as 2026-01-15T09:30:00Z, or epoch seconds or "
        "milliseconds"
    ),
]
Criteria = Annotated[Literal["ANY", "ALL"], explain('must be "ANY" or "ALL"')]
Method = Annotated[Literal["POST", "PUT", "PATCH"], explain('must be "POST", "PUT" or "PATCH"')]
AuthType = Annotated[
    Literal["none", "basic", "bearer", "api_key", "oauth2"],
    explain('must be "none", "basic", "bearer", "api_key" or "oauth2"'),
]
GrantType = Annotated[Literal["client_credentials"], explain('must be "client_credentials"')]
Url = Annotated[
    str,
    Field(max_length=limits.URL_LENGTH),
    AfterValidator(_url),
    explain(f"must be an https URL of at most {limits.URL_LENGTH} characters"),
]
OAuthScopes = Annotated[
    list[
        Annotated[
            str,
            Field(pattern=f"^{SCOPE}$", max_length=limits.SCOPE_LENGTH),
            explain(f'must be 1 to {limits.SCOPE_LENGTH} visible ASCII characters, without " and \\'),
        ]
    ],
    Field(max_length=limits.SCOPES),
    explain(f"must be an array of at most {limits.SCOPES} scopes"),
]
CredentialValue = Annotated[
    str,
    Field(max_length=limits.CREDENTIAL_LENGTH),
    explain(f"must be a string of at most {limits.CREDENTIAL_LENGTH} characters"),
]
SuccessCodes = Annotated[
    list[
        Annotated[
            int,
            Field(ge=CODE_MIN, le=CODE_MAX),
            INTEGRAL,
            explain(f"must be a number from {CODE_MIN} to {CODE_MAX}"),
        ]
    ],
    Field(min_length=1, max_length=limits.CODES),
    explain(f"must be an array of 1 to {limits.CODES} status codes"),
]
RetryCodes = Annotated[
    list[
        Annotated[
            Annotated[int, Field(ge=NO_RESPONSE, le=NO_RESPONSE), INTEGRAL]
            | Annotated[int, Field(ge=CODE_MIN, le=CODE_MAX), INTEGRAL],
            explain_whole(f"must be a number from {CODE_MIN} to {CODE_MAX}, or 0 for no answer at all"),
        ]
    ],
    Field(max_length=limits.CODES),
    explain(f"must be an array of at most {limits.CODES} status codes"),
]
RetryCount = Annotated[
    int,
    Field(ge=0, le=limits.RETRIES),
    INTEGRAL,
    explain(f"must be a whole number from 0 to {limits.RETRIES}"),
]
Ttl = Annotated[
    int,
    Field(ge=0, le=limits.TTL_SECONDS),
    INTEGRAL,
    explain(f"must be a whole number from 0 to {limits.TTL_SECONDS}"),
]
RateLimit = Annotated[
    int,
    Field(ge=1, le=limits.RATE_LIMIT),
    INTEGRAL,
    explain(f"must be a whole number from 1 to {limits.RATE_LIMIT}"),
]
