"""Signs a callback: the headers that prove its sender, its bytes and its time to the receiver."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from . import base64_text, http_signatures
from .curves import Curve
from .errors import InvalidCallbackError, InvalidKeyError
from .http_fields import is_field_value
from .keys import PrivateKey
from .standard_webhooks import ecdsa_token, hmac_token, signed_content


@dataclass(frozen=True, slots=True)
class CallbackKeys:
    """The keys that sign every callback; the `signing` key, on P-256, is named `signing_key_id` in the JWKS.

    `service` is the published key; each of `beside`, which receivers may still or already know, signs too.
    """

    service: PrivateKey
    signing: PrivateKey
    signing_key_id: str
    beside: tuple[PrivateKey, ...] = ()

    def __post_init__(self) -> None:
        if self.signing.curve is not Curve.P256:
            raise InvalidKeyError("the signing key is on prime256v1, the one curve of ecdsa-p256-sha256")
        if not is_field_value(self.signing_key_id) or any(char in self.signing_key_id for char in '"\\'):
            raise InvalidKeyError("the signing key's id is printable ASCII without quotes and backslashes")


def sign_callback(
    *,
    method: str,
    url: str,
    content_type: str,
    body: bytes,
    delivery_id: str,
    timestamp: int,
    keys: CallbackKeys,
    webhook_secrets: Sequence[bytes],
) -> dict[str, str]:
    """Make the signature headers of one attempt; send the same `body` object, `url` and `content_type`.

    `url` is the one requested, percent-encoded; `timestamp` is this attempt's, in epoch seconds;
    `webhook_secrets` are 32 bytes each, the one in use first; another length raises InvalidKeyError.
    Raises InvalidCallbackError for a part that a header cannot carry, and for a `.` in the delivery's id,
    which would make the signed content ambiguous.
    """
    target = _checked_target(method, url, content_type)
    if not is_field_value(delivery_id) or "." in delivery_id:
        raise InvalidCallbackError("a delivery's id is printable ASCII without a dot")
    if timestamp < 0:
        raise InvalidCallbackError("a timestamp is epoch seconds")

    content = signed_content(delivery_id=delivery_id, timestamp=timestamp, body=body)
    tokens = [
        *[ecdsa_token(key, content) for key in (keys.service, *keys.beside)],
        *[hmac_token(secret, content) for secret in webhook_secrets],
    ]

    digest = http_signatures.content_digest(body)
    params = http_signatures.signature_params(created=timestamp, key_id=keys.signing_key_id)
    seconds = str(timestamp)
    values = (method, target, digest, content_type, delivery_id, seconds)
    signature = keys.signing.sign(http_signatures.callback_base(values, params))
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(tokens),
        "Content-Digest": digest,
        "Signature-Input": f"{http_signatures.LABEL}={params}",
        "Signature": f"{http_signatures.LABEL}=:{base64_text.encode(signature)}:",
    }


@lru_cache(maxsize=1024)  # they stay the same for all deliveries of a webhook
def _checked_target(method: str, url: str, content_type: str) -> str:
    if not (is_field_value(method) and is_field_value(url) and is_field_value(content_type)):
        raise InvalidCallbackError("method, URL and content type are printable ASCII")
    return http_signatures.target_uri(url)
