"""Verify a callback as its receiver would, and say what is wrong with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import http_signatures
from .callback import is_field_value
from .errors import InvalidKeyError, VerificationError
from .http_signatures import SignatureInput
from .jwks import find_key
from .keys import PublicKey
from .standard_webhooks import HMAC_SCHEME, holds_ecdsa, holds_hmac, parse_tokens, signed_content

TOLERANCE_SECONDS = 300  # Standard Webhooks' own
HTTP_SIGNATURE_SCHEME = "rfc9421"
_TIMESTAMP_DIGITS_MAX = 15


def verify_callback(
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    service_key: PublicKey | None,
    webhook_secret: bytes | None,
    jwks: Mapping[str, Any] | None,
    now: int,
    tolerance: int = TOLERANCE_SECONDS,
) -> list[str]:
    """Verify each signature that there is a key for; return their schemes (`es256k`, `v1`, `rfc9421`).

    `now` is epoch seconds; `tolerance` is how many seconds the callback may lie before or after it.
    Header names may come in any case. Raises VerificationError naming the first thing that is wrong.
    """
    received = _Received(headers)
    window = _Window(now, tolerance)
    timestamp = received.timestamp()
    window.check(timestamp, name="webhook-timestamp")
    content = signed_content(delivery_id=received.delivery_id(), timestamp=timestamp, body=body)

    verified: list[str] = []
    if service_key is not None:
        verified.append(_verify_ecdsa(received, content, service_key))
    if webhook_secret is not None:
        verified.append(_verify_hmac(received, content, webhook_secret))
    if jwks is not None:
        signed = _signed_input(received, window)
        if received.value("content-digest") != http_signatures.content_digest(body):
            raise VerificationError("Content-Digest is not the sha-256 digest of the body")
        components = _components(signed, received, method=method, url=url)
        verified.append(_verify_http_signature(received, signed, components, jwks=jwks))
    if not verified:
        raise VerificationError("nothing to verify with: no service key, no webhook secret, no JWKS")
    return verified


@dataclass(frozen=True, slots=True)
class _Window:
    now: int
    tolerance: int

    def check(self, seconds: int, *, name: str) -> None:
        distance = abs(self.now - seconds)
        if distance > self.tolerance:
            side = "before" if seconds < self.now else "after"
            raise VerificationError(f"{name} lies {distance} s {side} now, {self.tolerance} s are allowed")


class _Received:
    """The headers of a callback, by their names in lower case."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = {name.lower(): value.strip(" \t") for name, value in headers.items()}

    def value(self, name: str) -> str:
        value = self._headers.get(name)
        if value is None:
            raise VerificationError(f"the header {name} is missing")
        if not is_field_value(value):
            raise VerificationError(f"the header {name} is not printable ASCII")
        return value

    def delivery_id(self) -> str:
        value = self.value("webhook-id")
        if "." in value:  # the signed content is joined by dots: the id could reach into the timestamp
            raise VerificationError("webhook-id has a dot")
        return value

    def timestamp(self) -> int:
        value = self.value("webhook-timestamp")
        if not value.isdigit() or len(value) > _TIMESTAMP_DIGITS_MAX or str(int(value)) != value:
            raise VerificationError("webhook-timestamp is not epoch seconds")
        return int(value)

    def tokens(self) -> list[tuple[str, str]]:
        tokens = parse_tokens(self.value("webhook-signature"))
        if tokens is None:
            raise VerificationError("webhook-signature is a list of scheme,base64 with one blank between two")
        return tokens


def _verify_ecdsa(received: _Received, content: bytes, key: PublicKey) -> str:
    scheme = key.curve.scheme
    if not holds_ecdsa(received.tokens(), content, key):
        raise VerificationError(f"webhook-signature: no {scheme} signature of the service key holds")
    return scheme


def _verify_hmac(received: _Received, content: bytes, secret: bytes) -> str:
    if not holds_hmac(received.tokens(), content, secret):
        raise VerificationError(
            f"webhook-signature: no {HMAC_SCHEME} signature of the webhook's secret holds"
        )
    return HMAC_SCHEME


def _verify_http_signature(
    received: _Received,
    signed: SignatureInput,
    components: Iterable[tuple[str, str]],
    *,
    jwks: Mapping[str, Any],
) -> str:
    base = http_signatures.signature_base(components, signed.value)
    if not _content_key(signed, jwks).verify(base, _signature(received, signed.label)):
        raise VerificationError("Signature does not hold for what Signature-Input covers")
    return HTTP_SIGNATURE_SCHEME


def _signed_input(received: _Received, window: _Window) -> SignatureInput:
    inputs = http_signatures.parse_signature_input(received.value("signature-input"))
    if inputs is None:
        raise VerificationError("Signature-Input is malformed")
    signed = next((each for each in inputs if each.text("tag") == http_signatures.TAG), None)
    if signed is None:
        raise VerificationError(f'Signature-Input has no signature with tag="{http_signatures.TAG}"')
    # The algorithm is the key's to name, not the sender's: it may be left out, but not be another.
    if signed.parameters.get("alg", f'"{http_signatures.ALGORITHM}"') != f'"{http_signatures.ALGORITHM}"':
        raise VerificationError(f"Signature-Input names another algorithm than {http_signatures.ALGORITHM}")
    if len(set(signed.components)) != len(signed.components):  # RFC 9421, section 2: each at most once
        raise VerificationError("Signature-Input covers a component twice")
    for name in http_signatures.COMPONENTS:
        if f'"{name}"' not in signed.components:
            raise VerificationError(f"Signature-Input does not cover {name}")
    created = signed.number("created")
    if created is None:
        raise VerificationError("Signature-Input has no created")
    window.check(created, name="Signature-Input's created")
    return signed


def _components(
    signed: SignatureInput, received: _Received, *, method: str, url: str
) -> Iterable[tuple[str, str]]:
    if not (is_field_value(method) and is_field_value(url)):
        raise VerificationError("method and URL are not printable ASCII")
    derived = {"@method": method, "@target-uri": http_signatures.target_uri(url)}
    for component in signed.components:
        name = component[1:-1]
        if name in derived:
            yield name, derived[name]
        elif component.endswith('"') and name.islower() and not name.startswith("@") and '"' not in name:
            yield name, received.value(name)
        else:
            raise VerificationError(f"Signature-Input covers {component}, which is not supported")


def _signature(received: _Received, label: str) -> bytes:
    signatures = http_signatures.parse_signature(received.value("signature"))
    if signatures is None:
        raise VerificationError("Signature is malformed")
    signature = signatures.get(label)
    if signature is None:
        raise VerificationError(f"Signature has no base64 bytes for {label}")
    return signature


def _content_key(signed: SignatureInput, jwks: Mapping[str, Any]) -> PublicKey:
    key_id = signed.text("keyid")
    if key_id is None:
        raise VerificationError("Signature-Input has no keyid")
    try:
        key = find_key(jwks, key_id)
    except InvalidKeyError as error:
        raise VerificationError(f"the JWKS is of no use: {error}") from error
    if key is None:
        raise VerificationError(f"the JWKS has no key {key_id}")
    return key
