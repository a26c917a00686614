"""The requests that create or change a webhook, and how they become the domain's objects."""

from collections.abc import Mapping
from dataclasses import MISSING
from dataclasses import fields as fields_of
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field

from webhooks.domain.errors import InvalidInputError
from webhooks.domain.text import TEXT, TEXT_RULE
from webhooks.domain.webhook import AuthType, Credential, Criteria, Definition, Endpoint
from webhooks.domain.webhook_patch import Patch
from webhooks.entrypoints.api import limits
from webhooks.entrypoints.api.schemas import fields
from webhooks.entrypoints.api.schemas.base import ApiModel, OtherName, explain

OBJECT = explain("must be an object")
ABSENT: Any = Field(default=None)  # may be left out, and may not be null
_DEFAULTS = {
    field.name: field.default
    for of in (Endpoint, Definition)
    for field in fields_of(of)
    if field.default is not MISSING
}
_ENUMS: Mapping[str, type[StrEnum]] = {"auth_type": AuthType, "criteria": Criteria}


class OAuth2In(ApiModel):
    """The client of the OAuth 2 client_credentials grant."""

    client_id: fields.CredentialValue | None = None
    client_secret: fields.CredentialValue | None = None


class CredentialIn(ApiModel):
    """The values that `authType` needs, in clear. Never in a log or an error."""

    username: fields.CredentialValue | None = Field(default=None, repr=False)
    password: fields.CredentialValue | None = Field(default=None, repr=False)
    key_name: fields.CredentialValue | None = Field(default=None, repr=False)
    key_value: fields.CredentialValue | None = Field(default=None, repr=False)
    token: fields.CredentialValue | None = Field(default=None, repr=False)
    oauth2: Annotated[OAuth2In, OBJECT] | None = Field(default=None, repr=False)

    def to_domain(self) -> Credential:
        """Return the credential; an empty string is a value."""
        flat = {name: value for name, value in self if name != "oauth2"}
        return Credential(**flat, **dict(self.oauth2 or OAuth2In()))


class ApiPatch(ApiModel):
    """Partial endpoint. Omitted fields are unchanged; null resets a field to its default."""

    url: fields.Url = ABSENT
    method: fields.Method | None = None
    auth_type: fields.AuthType | None = None
    oauth_grant_type: fields.GrantType | None = None
    oauth_token_url: fields.Url | None = None
    oauth_scopes: fields.OAuthScopes | None = None
    credential: Annotated[CredentialIn, OBJECT] | None = None

    def to_fields(self) -> dict[str, Any]:
        """Return the given fields of Endpoint."""
        return _given(self, but="credential")

    def to_credential(self) -> Credential | None:
        """Return the given credential; None keeps the stored one, null takes it away."""
        if "credential" not in self.model_fields_set:
            return None
        return self.credential.to_domain() if self.credential else Credential()


class ApiIn(ApiPatch):
    """The endpoint to call."""

    url: fields.Url


class WebhookPatch(ApiModel):
    """Any fields of a webhook. Omitted fields are unchanged; null resets a field to its default."""

    # As the specification's sample has it: one name or several.
    other_names: ClassVar[Mapping[str, OtherName]] = {
        "eventName": OtherName("eventNames", lambda one: [one] if isinstance(one, str) else one)
    }
    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    event_names: fields.EventNames = ABSENT
    name: fields.Name = ABSENT
    disabled: fields.Flag | None = None
    created_by: fields.Name = ABSENT
    tags: fields.Tags | None = None
    query: fields.Query | None = None
    criteria: fields.Criteria | None = None
    endpoint: Annotated[ApiPatch, OBJECT] = ABSENT
    success_codes: fields.SuccessCodes = ABSENT
    retry_codes: fields.RetryCodes | None = None
    retry_count: fields.RetryCount | None = None
    ttl: fields.Ttl | None = None
    paused: fields.Flag | None = None
    rate_limit: fields.RateLimit | None = None
    recover: fields.Flag | None = None

    def to_patch(self) -> Patch:
        """Return the change as the use case takes it. Raises InvalidInputError for one without fields."""
        if not self.model_fields_set:
            raise InvalidInputError(["the body must give at least one field"])
        endpoint = self.endpoint if "endpoint" in self.model_fields_set else ApiPatch()
        return Patch(
            fields=_given(self, but="endpoint"),
            endpoint=endpoint.to_fields(),
            credential=endpoint.to_credential(),
        )


class WebhookIn(WebhookPatch):
    """A webhook to create."""

    model_config = ConfigDict(json_schema_extra={})

    event_names: fields.EventNames
    name: fields.Name
    created_by: fields.Name | None = None  # type: ignore[assignment] # null is as absent, here alone
    endpoint: Annotated[ApiIn, OBJECT]
    success_codes: fields.SuccessCodes

    def to_definition(self, *, created_by: str) -> Definition:
        """Return the definition; `created_by` is for a body that does not say it.

        Raises InvalidInputError where it cannot serve.
        """
        given = _given(self, but="endpoint")
        endpoint = Endpoint(**self.endpoint.to_fields())
        author = self.created_by or created_by
        if not TEXT.fullmatch(author) or not 0 < len(author) <= limits.NAME_LENGTH:
            appid = f"1 to {limits.NAME_LENGTH} characters, with {TEXT_RULE}"
            raise InvalidInputError([f"createdBy: is required where the appid in requestid is not {appid}"])
        return Definition(**given | {"created_by": author}, endpoint=endpoint)


def _given(model: ApiModel, *, but: str) -> dict[str, Any]:
    """Return the fields that a request gives but one, as the domain has them: null as the default."""
    values = {name: value for name, value in model if name in model.model_fields_set and name != but}
    for name, value in values.items():
        if value is None:
            values[name] = _DEFAULTS.get(name)
        elif name in _ENUMS:
            values[name] = _ENUMS[name](value)
        elif isinstance(value, list):
            values[name] = tuple(value) if name == "query" else tuple(dict.fromkeys(value))
    return values
