"""What a tenant sends to create or change a webhook, and how it becomes the domain's."""

from dataclasses import MISSING, fields
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from webhooks.domain.errors import InvalidInputError
from webhooks.domain.text import TEXT_RULE, is_text
from webhooks.domain.webhook import AuthType, Credential, Criteria, Definition, Endpoint
from webhooks.entrypoints.api import limits
from webhooks.entrypoints.api.schemas import fields as kind
from webhooks.entrypoints.api.schemas.base import ApiModel, rule, wrong
from webhooks.services.webhooks import Patch

OBJECT = "must be an object"
ABSENT: Any = Field(default=None)  # may be left out, and may not be null
_DEFAULTS = {
    field.name: field.default
    for of in (Endpoint, Definition)
    for field in fields(of)
    if field.default is not MISSING
}


class OAuth2In(ApiModel):
    """The client of the OAuth 2 client_credentials grant."""

    client_id: kind.CredentialValue | None = None
    client_secret: kind.CredentialValue | None = None


class CredentialIn(ApiModel):
    """What callbacks authenticate with, in clear: only what `authType` needs. Never in a log or an error."""

    username: kind.CredentialValue | None = Field(default=None, repr=False)
    password: kind.CredentialValue | None = Field(default=None, repr=False)
    key_name: kind.CredentialValue | None = Field(default=None, repr=False)
    key_value: kind.CredentialValue | None = Field(default=None, repr=False)
    token: kind.CredentialValue | None = Field(default=None, repr=False)
    oauth2: Annotated[OAuth2In, rule(OBJECT)] | None = Field(default=None, repr=False)

    def to_domain(self) -> Credential:
        """Return the credential; an empty string is a value."""
        client = self.oauth2 or OAuth2In()
        return Credential(
            username=self.username,
            password=self.password,
            key_name=self.key_name,
            key_value=self.key_value,
            token=self.token,
            client_id=client.client_id,
            client_secret=client.client_secret,
        )


class ApiPatch(ApiModel):
    """The endpoint to call, in part: what is not given stays, null is as at creation without it."""

    url: kind.Url = ABSENT
    type: kind.Method | None = None
    auth_type: kind.AuthType | None = None
    o_auth_grant_type: kind.GrantType | None = None
    o_auth_token_url: kind.Url | None = None
    o_auth_scopes: kind.OAuthScopes | None = None
    credential: Annotated[CredentialIn, rule(OBJECT)] | None = None

    def to_fields(self) -> dict[str, Any]:
        """Return what is given, by the field's name in Endpoint."""
        scopes = None if self.o_auth_scopes is None else tuple(self.o_auth_scopes)
        values = {
            "url": self.url,
            "type": self.type,
            "auth_type": self.auth_type and AuthType(self.auth_type),
            "o_auth_grant_type": self.o_auth_grant_type,
            "o_auth_token_url": self.o_auth_token_url,
            "o_auth_scopes": scopes,
        }
        names = {"type": "method"}
        given = {name: value for name, value in values.items() if name in self.model_fields_set}
        return _defaulted({names.get(n, n.replace("o_auth", "oauth")): value for n, value in given.items()})

    def to_credential(self) -> Credential | None:
        """Return what is given of the credential; None keeps the stored one, null takes it away."""
        if "credential" not in self.model_fields_set:
            return None
        return self.credential.to_domain() if self.credential else Credential()


class ApiIn(ApiPatch):
    """The endpoint to call."""

    url: kind.Url


class WebhookPatch(ApiModel):
    """Any fields of a webhook: what is not given stays, null is as at creation without it."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    event_names: kind.EventNames = ABSENT
    name: kind.Name = ABSENT
    disabled: kind.Flag | None = None
    created_by: kind.Name = ABSENT
    tags: kind.Tags | None = None
    query: kind.Query | None = None
    criteria: kind.Criteria | None = None
    api: Annotated[ApiPatch, rule(OBJECT)] = ABSENT
    success_codes: kind.SuccessCodes = ABSENT
    retry_codes: kind.RetryCodes | None = None
    retry_count: kind.RetryCount | None = None
    ttl: kind.Ttl | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_event_name(cls, body: Any) -> Any:
        """Read `eventName`, as the reference's sample has it, as `eventNames`."""
        if not isinstance(body, dict) or "eventName" not in body:
            return body
        names = body["eventName"]
        names = [names] if isinstance(names, str) else names
        if body.get("eventNames", names) != names:
            raise wrong("eventName: is another name for eventNames, give one of them")
        return {**{name: value for name, value in body.items() if name != "eventName"}, "eventNames": names}

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise wrong("the body must give at least one field")
        return self

    def to_fields(self) -> dict[str, Any]:
        """Return what is given but `api`, by the field's name in Definition."""
        values: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set - {"api"}}
        frozen = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
        if self.criteria:
            frozen["criteria"] = Criteria(self.criteria)
        return _defaulted(frozen)

    def to_patch(self) -> Patch:
        """Return the change as the use case takes it."""
        api = self.api if "api" in self.model_fields_set else ApiPatch()
        return Patch(fields=self.to_fields(), endpoint=api.to_fields(), credential=api.to_credential())


class WebhookIn(WebhookPatch):
    """A webhook to create."""

    model_config = ConfigDict(json_schema_extra={})

    event_names: kind.EventNames
    name: kind.Name
    created_by: kind.Name | None = None  # type: ignore[assignment] # null is as absent, here alone
    api: Annotated[ApiIn, rule(OBJECT)]
    success_codes: kind.SuccessCodes

    def to_definition(self, *, created_by: str) -> Definition:
        """Return the definition; `created_by` is for where the body does not say it.

        Raises InvalidInputError where it cannot serve.
        """
        author = self.created_by or created_by
        if not is_text(author) or not 0 < len(author) <= limits.NAME_LENGTH:
            appid = f"1 to {limits.NAME_LENGTH} characters, with {TEXT_RULE}"
            raise InvalidInputError([f"createdBy: is required where the appid in requestid is not {appid}"])
        return Definition(
            **{**self.to_fields(), "created_by": author}, endpoint=Endpoint(**self.api.to_fields())
        )


def _defaulted(values: dict[str, Any]) -> dict[str, Any]:
    """Put the default where null is given."""
    return {name: _DEFAULTS.get(name) if value is None else value for name, value in values.items()}
