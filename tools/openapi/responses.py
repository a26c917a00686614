"""Models of responses, for the document alone; those of webhooks are in the layer, which writes by them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from webhooks.entrypoints.api.schemas.webhook_out import Envelope


class Out(BaseModel):
    """A JSON object in a response."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class ServiceKeyOut(Out):
    """A key pair of the service."""

    tag: Annotated[
        Literal["service", "signing"],
        Field(description="`service`: envelopes and `es256k`; `signing`: callbacks' RFC 9421 signatures."),
    ]
    key_id: Annotated[str, Field(description="The public key: base64 of X||Y.")]
    key_secret: Envelope
    type: Literal["ecdsa"]


class PublishedOut(Out):
    """An event that the events queue has taken."""

    event_id: Annotated[str, Field(description="The event's id, given or by default.")]


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
    limits: Annotated[dict[str, int], Field(description="Limits of requests and of webhooks.")]


class HealthOut(Out):
    """The health of the services behind the API."""

    status: Annotated[
        str, Field(description="`all services operational`, or the services that do not answer.")
    ]
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
    """An error; its message says how to correct the request."""

    status_code: int
    error: str
    message: str
