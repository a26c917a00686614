"""A webhook: what a tenant registered, and the rules that its parts must keep together."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Self

from webhooks.domain.http import RESERVED_HEADERS as FRAMING_HEADERS
from webhooks.domain.http import TCHAR
from webhooks.domain.scope import Scope
from webhooks.domain.text import SURROGATES, TEXT_RULE, is_text, trimmed

MAX_EVENT_NAME = 128
EVENT_NAME = re.compile(trimmed(MAX_EVENT_NAME, more=SURROGATES))
EVENT_NAME_PATTERN = f"^{trimmed(MAX_EVENT_NAME)}$"  # for schemas
EVENT_NAME_RULE = f"1 to {MAX_EVENT_NAME} characters, with no space at either end, {TEXT_RULE}"
HEADER_NAME = re.compile(TCHAR + "{1,128}", re.ASCII)

# Headers that frame the request, or that the service itself sets on a callback: no api_key may use them.
RESERVED_HEADERS = FRAMING_HEADERS | {
    *("accept", "accept-encoding", "user-agent"),
    *("content-digest", "content-encoding", "content-type"),
    *("signature", "signature-input"),
    *("webhook-attempt", "webhook-id", "webhook-signature", "webhook-timestamp"),
}


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


@dataclass(frozen=True, slots=True)
class Credential:
    """What a callback authenticates with. Never in a log, an error or a repr."""

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
        """Read what `to_mapping` wrote; names of a later version are passed over."""
        return cls(**{f.name: values[f.name] for f in fields(cls) if f.name in values})


@dataclass(frozen=True, slots=True)
class CredentialRef:
    """Where a credential is kept: a secret's name and the version in use."""

    secret_name: str
    version_id: str


# What each way to authenticate needs, by the credential's field and its name on the wire.
NEEDED = {
    AuthType.NONE: {},
    AuthType.BASIC: {"username": "username", "password": "password"},
    AuthType.BEARER: {"token": "token"},
    AuthType.API_KEY: {"key_name": "keyName", "key_value": "keyValue"},
    AuthType.OAUTH2: {"client_id": "oauth2.clientId", "client_secret": "oauth2.clientSecret"},
}
WIRE_NAMES = {name: wire for needed in NEEDED.values() for name, wire in needed.items()}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The endpoint to call, and how to authenticate to it."""

    url: str
    method: str = "POST"
    auth_type: AuthType = AuthType.NONE
    oauth_grant_type: str | None = None
    oauth_token_url: str | None = None
    oauth_scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """What the tenant says of a webhook; `ttl` is in seconds, 0 for the deployment's default."""

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


@dataclass(frozen=True, slots=True)
class Webhook:
    """A stored webhook. `revision` counts its changes; `disabled_reason`: why the service disabled it.

    `slow_since`: when its endpoint was last seen slow or absent, in epoch seconds; None while it is quick.
    """

    id: str
    scope: Scope
    definition: Definition
    created_at: int
    revision: int = 1
    credential: CredentialRef | None = None
    secret_version: int = 1
    disabled_reason: str | None = None
    slow_since: int | None = None

    @property
    def enabled(self) -> bool:
        """Tell whether events are delivered to it."""
        return not self.definition.disabled


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """What fan-out needs of a webhook that lists an event's name; `sequence`: its place in the index."""

    webhook_id: str
    criteria: Criteria
    query: tuple[Mapping[str, Any], ...]
    sequence: int = field(default=0, compare=False)


def oauth_problems(endpoint: Endpoint) -> list[str]:
    """Say what authType oauth2 needs beside its credential, in the wire's names."""
    if endpoint.auth_type is not AuthType.OAUTH2:
        return []
    problems = []
    if endpoint.oauth_grant_type != "client_credentials":
        problems.append("api.oAuthGrantType: must be client_credentials for authType oauth2")
    if not endpoint.oauth_token_url:
        problems.append("api.oAuthTokenUrl: required for authType oauth2")
    return problems


def fitting(endpoint: Endpoint, credential: Credential | None) -> Credential | None:
    """Return what the authType needs of a credential: clients send the other fields empty."""
    if credential is None:
        return None
    given = credential.to_mapping()
    return Credential.from_mapping(
        {name: given[name] for name in NEEDED[endpoint.auth_type] if name in given}
    )


def credential_problems(endpoint: Endpoint, credential: Credential | None) -> list[str]:
    """Say what of the credential is missing, too much or unfit for a header, in the wire's names."""
    needed = NEEDED[endpoint.auth_type]
    given = credential.to_mapping() if credential else {}
    problems = [
        f"api.credential.{wire}: required for authType {endpoint.auth_type}"
        for name, wire in needed.items()
        if name not in given
    ]
    problems += [
        f"api.credential.{needed[name]}: must not be empty for authType {endpoint.auth_type}"
        for name, value in given.items()
        if name in needed and not value and endpoint.auth_type is not AuthType.BASIC  # RFC 7617: both may be
    ]
    problems += [
        f"api.credential.{WIRE_NAMES[name]}: not for authType {endpoint.auth_type}, leave it out"
        for name, value in given.items()
        if name not in needed and value
    ]
    problems += [
        f"api.credential.{WIRE_NAMES[name]}: must have {TEXT_RULE}"
        for name, value in given.items()
        if not is_text(value)
    ]
    return problems + _header_problems(endpoint.auth_type, given)


def _header_problems(auth_type: AuthType, given: Mapping[str, str]) -> list[str]:
    problems = []
    if auth_type is AuthType.BASIC and ":" in given.get("username", ""):
        problems.append("api.credential.username: must not have a ':' (RFC 7617)")
    if auth_type is AuthType.API_KEY and (name := given.get("key_name")):
        if not HEADER_NAME.fullmatch(name):
            problems.append("api.credential.keyName: must be the name of an HTTP header")
        elif name.lower() in RESERVED_HEADERS:
            problems.append("api.credential.keyName: this header is set by the service, choose another")
    for name in ("token", "key_value"):
        value = given.get(name, "")
        if not value.isascii():
            problems.append(f"api.credential.{WIRE_NAMES[name]}: must be ASCII, it is sent as a header")
        if value != value.strip():  # whoever reads the header would trim it (RFC 9110, 5.5)
            problems.append(f"api.credential.{WIRE_NAMES[name]}: must not begin or end with a space")
    return problems


def has_any_tag(tags: Sequence[str], wanted: Sequence[str]) -> bool:
    """Tell whether at least one of the wanted tags is among the tags."""
    return not set(tags).isdisjoint(wanted)
