"""Webhooks in responses: these models write them, and make their part of the OpenAPI document."""

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from webhooks.domain.webhook import WEBHOOK_ID
from webhooks.entrypoints.api.json_names import json_name

Envelope = Annotated[
    str, Field(description="Encrypted for the caller: base64(IV[16] || AES-256-GCM || tag[16]).")
]
ServicePublicKey = Annotated[str, Field(description="The service's public key that the caller used.")]


class Out(BaseModel):
    """A JSON object in a response.

    Its fields make the schema and the response alike. There are no instances: to make and to dump one takes
    pydantic 19 us for a webhook, to walk its fields 2. Nothing validates either: a validator is built for
    the document alone, which spares each cold start its time.
    """

    model_config = ConfigDict(alias_generator=json_name, extra="forbid", defer_build=True)

    @classmethod
    def of(cls, source: object, **values: Any) -> dict[str, Any]:
        """Return the object, in the order of its fields, without those that are None.

        Fields that are not among the values are attributes of the source.
        """
        return {
            alias: value
            for name, alias in _aliases(cls)
            if (value := values[name] if name in values else getattr(source, name)) is not None
        }


@cache
def _aliases(model: type[Out]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(field.alias)) for name, field in model.model_fields.items())


class OAuth2Out(Out):
    """The OAuth 2 client, each value an envelope for the caller."""

    client_id: Envelope
    client_secret: Envelope


class CredentialOut(Out):
    """The values that callbacks authenticate with, as envelopes for the caller. For system licenses only."""

    username: Envelope = ""
    password: Envelope = ""
    key_name: Envelope = ""
    key_value: Envelope = ""
    token: Envelope = ""
    oauth2: OAuth2Out = Field(default=None)  # type: ignore[assignment] # never made


class ApiOut(Out):
    """The endpoint that is called."""

    method: Literal["POST", "PUT", "PATCH"]
    url: str
    auth_type: Literal["none", "basic", "bearer", "api_key", "oauth2"]
    oauth_grant_type: Literal["client_credentials"] = "client_credentials"
    oauth_token_url: str = ""
    oauth_scopes: tuple[str, ...] = ()
    credential: CredentialOut = Field(default=None)  # type: ignore[assignment] # never made


class WebhookOut(Out):
    """A webhook."""

    id: Annotated[str, Field(alias="_id", pattern=f"^{WEBHOOK_ID.pattern}$")]
    tenant_id: str
    community_id: str
    event_names: tuple[str, ...]
    name: str
    disabled: bool
    created_by: str
    tags: tuple[str, ...]
    query: tuple[dict[str, Any], ...]
    criteria: Literal["ANY", "ALL"]
    endpoint: ApiOut
    success_codes: tuple[int, ...]
    retry_codes: tuple[int, ...]
    retry_count: int
    ttl: int
    paused: Annotated[Literal[True], Field(description="Its deliveries are held until it is resumed.")] = True
    rate_limit: Annotated[int, Field(description="Deliveries per second at most.")] = 0
    recover: Annotated[
        bool,
        Field(description="Whether exhausted deliveries are sent once more; absent: the deployment decides."),
    ] = True
    disabled_reason: Annotated[str, Field(description="Why the service disabled the webhook.")] = ""


class CreatedOut(WebhookOut):
    """A new webhook."""

    signing_secret: Annotated[
        str, Field(description="The webhook's `whsec_` secret, as an envelope for the caller.")
    ]


class SecretOut(Out):
    """A webhook's `whsec_` secret."""

    signing_secret: Envelope
    public_key: ServicePublicKey


class Counts(Out):
    """The position of a page."""

    index: Annotated[int, Field(description="The page's number, from 0.")]
    total: Annotated[int, Field(description="The number of webhooks in all pages.")]
    size: Annotated[
        int,
        Field(description="The number of webhooks that a page has, or that this one has where not all fit."),
    ]

    is_exact: Annotated[
        Literal[False],
        Field(
            description="false: the community has more webhooks than a filter by state or name looks at, and "
            "the total is of those that it looked at, the newest. Absent where the total is exact."
        ),
    ] = False


class PageOut(Out):
    """A page of webhooks, newest first."""

    page: Counts
    data: list[WebhookOut]
    public_key: ServicePublicKey
