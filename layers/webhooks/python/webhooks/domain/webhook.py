"""A webhook: its definition by a tenant, its state, its id; the rules of its fields are in webhook_rules."""

import re
from collections.abc import Mapping
from dataclasses import field, fields
from enum import StrEnum
from typing import Any, Self

from webhooks.domain.health import HEALTHY, Health, State
from webhooks.domain.scope import Scope
from webhooks.domain.text import SURROGATES, TEXT_RULE, trimmed
from webhooks.domain.values import value_type

MAX_EVENT_NAME = 128
EVENT_NAME = re.compile(trimmed(MAX_EVENT_NAME, more=SURROGATES))
EVENT_NAME_PATTERN = f"^{trimmed(MAX_EVENT_NAME)}$"  # for schemas
EVENT_NAME_RULE = f"1 to {MAX_EVENT_NAME} characters, with no space at either end, {TEXT_RULE}"
# A part of every delivery's id and of secrets' names too. 4 bytes each: epoch seconds, sequence number in the
# community, random bytes.
WEBHOOK_ID = re.compile(r"[0-9a-f]{24}", re.ASCII)
_WORD = 0xFFFF_FFFF
_SHARDED = 0x8000_0000  # the highest bit of the time in an id: see has_shards


class Criteria(StrEnum):
    """How many of the query's objects must hold."""

    ANY = "ANY"
    ALL = "ALL"


class AuthType(StrEnum):
    """How a callback authenticates to its endpoint."""

    NONE = "none"
    BASIC = "basic"
    BEARER = "bearer"
    API_KEY = "api_key"
    OAUTH2 = "oauth2"


@value_type(frozen=True, slots=True)
class Credential:
    """The values that a callback authenticates with. Never in a log, an error or a repr."""

    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    key_name: str | None = field(default=None, repr=False)
    key_value: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    client_id: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)

    def to_mapping(self) -> dict[str, str]:
        """Return the values that are set, by field name."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}

    @classmethod
    def from_mapping(cls, values: Mapping[str, str]) -> Self:
        """Read the values by field name; names of a later version are passed over."""
        return cls(**{f.name: values[f.name] for f in fields(cls) if f.name in values})


@value_type(frozen=True, slots=True)
class CredentialRef:
    """A secret's name and the version in use."""

    secret_name: str
    version_id: str


@value_type(frozen=True, slots=True)
class SealedCredential:
    """A credential that its webhook's item has itself, encrypted for this webhook and no other.

    `text` is base64: of an item with bytes the SDK decodes every attribute, at twice the CPU.
    """

    scope: Scope
    webhook_id: str
    text: str = field(repr=False)

    @property
    def secret_name(self) -> None:
        """Say that it has no secret, where one of both forms is asked."""
        return


type StoredCredential = CredentialRef | SealedCredential


@value_type(frozen=True, slots=True)
class Endpoint:
    """The endpoint to call, and how to authenticate to it."""

    url: str
    method: str = "POST"
    auth_type: AuthType = AuthType.NONE
    oauth_grant_type: str | None = None
    oauth_token_url: str | None = None
    oauth_scopes: tuple[str, ...] = ()


@value_type(frozen=True, slots=True)
class Definition:
    """The part of a webhook that its tenant decides. `ttl` is in seconds, 0 for the deployment's default.

    `rate_limit`: deliveries per second at most. `recover`: exhausted deliveries are sent once more when the
    endpoint responds again; None for the deployment's default.

    The stored form, the patch and the API's responses follow these fields and Endpoint's.
    """

    event_names: tuple[str, ...]
    name: str
    endpoint: Endpoint
    success_codes: tuple[int, ...]
    created_by: str
    disabled: bool = False
    tags: tuple[str, ...] = ()
    query: tuple[Mapping[str, Any], ...] = ()
    criteria: Criteria = Criteria.ANY
    retry_codes: tuple[int, ...] = ()
    retry_count: int = 0
    ttl: int = 0
    paused: bool = False
    rate_limit: int | None = None
    recover: bool | None = None


@value_type(frozen=True, slots=True)
class OldSecret:
    """An earlier version of a webhook's secret, which signs beside the present one until `until`, epoch s."""

    version: int
    until: int


@value_type(frozen=True, slots=True)
class Webhook:
    """A stored webhook. `revision` counts its changes; `disabled_reason`: why the service disabled it.

    `old_secrets`: versions of its secret that still sign beside `secret_version`, until their times.
    """

    id: str
    scope: Scope
    definition: Definition
    created_at: int
    revision: int = 1
    credential: StoredCredential | None = None
    secret_version: int = 1
    disabled_reason: str | None = None
    old_secrets: tuple[OldSecret, ...] = ()
    health: Health = HEALTHY

    @property
    def enabled(self) -> bool:
        """Whether events are delivered to it."""
        return not self.definition.disabled

    def signing_versions(self, now: float) -> tuple[int, ...]:
        """Return the versions of its secret that sign at `now`, in epoch seconds; the newest is first."""
        return (self.secret_version, *(each.version for each in self.old_secrets if now < each.until))

    @property
    def holds(self) -> bool:
        """Whether its deliveries are held: its tenant paused it, or its endpoint is down."""
        return self.definition.paused or self.health.held_since is not None

    @property
    def states(self) -> tuple[State, ...]:
        """All states that hold, in the order of State; HEALTHY alone where no other does."""
        health = self.health
        holding = {
            State.DISABLED: self.definition.disabled,
            State.PAUSED: self.definition.paused,
            State.HELD: health.held_since is not None,
            State.FAILING: health.failing_since is not None,
            State.SLOW: health.slow_since is not None,
        }
        return tuple(state for state, holds in holding.items() if holds) or (State.HEALTHY,)


@value_type(frozen=True, slots=True)
class IndexEntry:
    """The part of a webhook that fan-out needs; `sequence` orders the index entries of an event's name."""

    webhook_id: str
    criteria: Criteria
    query: tuple[Mapping[str, Any], ...]
    sequence: int = field(default=0, compare=False)


def make_webhook_id(*, now: float, sequence: int, random: bytes) -> str:
    """Return a webhook's id; until 2038 ids sort by time of creation. `now` in epoch seconds."""
    return f"{int(now) & _WORD | _SHARDED:08x}{sequence & _WORD:08x}{random[:4].hex()}"


def has_shards(webhook_id: str) -> bool:
    """Tell whether the delivery log has several partitions for a webhook, by its id or one that begins so.

    The id alone tells it, as the key of a delivery must follow from its id: webhooks that were made before
    decision 36 keep the one partition that their deliveries are in.
    """
    return webhook_id >= "8"


def sequence_of(webhook_id: str) -> int | None:
    """Return the sequence number in a webhook's id, None for a text that is no id."""
    return int(webhook_id[8:16], 16) if WEBHOOK_ID.fullmatch(webhook_id) else None
