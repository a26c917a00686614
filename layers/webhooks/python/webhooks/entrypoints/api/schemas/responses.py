"""What the API answers, as models for its document; the answers themselves are written without them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Envelope = Annotated[
    str, Field(description="Encrypted for the caller: base64(IV[16] || AES-256-GCM || tag[16]).")
]


class Out(BaseModel):
    """A JSON object that the API answers."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class OAuth2Out(Out):
    """The OAuth 2 client, each value an envelope for the caller."""

    client_id: Envelope
    client_secret: Envelope


class CredentialOut(Out):
    """What callbacks authenticate with, each value an envelope for the caller. For system licenses only."""

    username: Envelope = ""
    password: Envelope = ""
    key_name: Envelope = ""
    key_value: Envelope = ""
    token: Envelope = ""
    oauth2: OAuth2Out = Field(default=None)  # type: ignore[assignment] # only its schema is used


class ApiOut(Out):
    """The endpoint that is called."""

    type: Literal["POST", "PUT", "PATCH"]
    url: str
    auth_type: Literal["none", "basic", "bearer", "api_key", "oauth2"]
    o_auth_grant_type: Literal["client_credentials"] = "client_credentials"
    o_auth_token_url: str = ""
    o_auth_scopes: list[str] = []
    credential: CredentialOut = Field(default=None)  # type: ignore[assignment] # only its schema is used


class WebhookOut(Out):
    """A webhook."""

    id: Annotated[str, Field(alias="_id", pattern="^[0-9a-f]{24}$")]
    tenant_id: str
    community_id: str
    event_names: list[str]
    name: str
    disabled: bool
    created_by: str
    tags: list[str]
    query: list[dict[str, Any]]
    criteria: Literal["ANY", "ALL"]
    api: ApiOut
    success_codes: list[int]
    retry_codes: list[int]
    retry_count: int
    ttl: int
    disabled_reason: Annotated[str, Field(description="Why the service disabled the webhook.")] = ""


class CreatedOut(WebhookOut):
    """A new webhook."""

    signing_secret: Annotated[
        str, Field(description="The webhook's `whsec_` secret, as an envelope for the caller.")
    ]


class Counts(Out):
    """Where a page stands."""

    index: Annotated[int, Field(description="The page's number, from 0.")]
    total: Annotated[int, Field(description="How many webhooks there are in all pages.")]
    size: Annotated[
        int, Field(description="How many webhooks a page has; this one has got, where not all fit.")
    ]


class PageOut(Out):
    """A page of webhooks, newest first."""

    page: Counts
    data: list[WebhookOut]
    public_key: Annotated[str, Field(description="The service's public key that the caller used.")]


class SecretOut(Out):
    """A webhook's `whsec_` secret."""

    signing_secret: Envelope
    public_key: Annotated[str, Field(description="The service's public key that the caller used.")]


class ServiceKeyOut(Out):
    """A key pair of the service."""

    tag: Annotated[
        Literal["service", "signing"],
        Field(description="`service`: envelopes and `es256k`; `signing`: callbacks' RFC 9421 signatures."),
    ]
    key_id: Annotated[str, Field(description="The public key: base64 of X||Y.")]
    key_secret: Envelope
    type: Literal["ecdsa"]


class EcdsaOut(Out):
    """The encrypted or decrypted text."""

    data: str
    public_key: Annotated[str, Field(description="The public key that belongs to the private key.")]


class EnvironmentOut(Out):
    """The deployment."""

    allowed_time_span: Annotated[
        int, Field(alias="allowed_time_span", description="Seconds that a requestid's `ts` may lie off.")
    ]
    curve: Annotated[Literal["secp256k1", "prime256v1"], Field(alias="EC_CURVE_NAME")]
    region: str
    stage: str
    version: str
    limits: Annotated[dict[str, int], Field(description="How much of everything a request may hold.")]


class HealthOut(Out):
    """Whether everything that the service needs answers."""

    status: Annotated[str, Field(description="`all services operational`, or what does not answer.")]
    public_key: str
    code: Literal["200", "503"]
    version: Annotated[str, Field(description="`<git-tag>.<commit-id>.<dob>` or `<commit-id>.<dob>`.")]


class PublicKeyOut(Out):
    """The service's public key."""

    public_key: Annotated[str, Field(description="Base64 of X||Y, 64 bytes.")]


class WellKnownOut(Out):
    """The service's public key."""

    public_key: Annotated[str, Field(alias="public_key", description="Base64 of X||Y, 64 bytes.")]


class JwkOut(Out):
    """A P-256 public key (RFC 7517)."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str
    kid: str
    use: Literal["sig"]
    alg: Literal["ES256"]


class JwksOut(Out):
    """The keys of callbacks' RFC 9421 signatures: in use, to come, and the last one in its grace."""

    keys: list[JwkOut]


class ErrorOut(Out):
    """What went wrong, and what would be right."""

    status_code: int
    error: str
    message: str
