"""Verifies a callback: its time, headers, body, and the signature of each key that the receiver has."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import http_signatures, standard_webhooks
from .errors import InvalidKeyError, VerificationError
from .http_signatures import SignatureInput
from .keys import PublicKey, decode_secret, find_key, read_public_key

TOLERANCE_SECONDS = 300  # as Standard Webhooks has it
_TIMESTAMP_DIGITS_MAX = 15


def verify_callback(
    *,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    method: str = "POST",
    public_key: str | None = None,
    secret: str | None = None,
    jwks: Mapping[str, Any] | None = None,
    now: int | None = None,
    tolerance: int = TOLERANCE_SECONDS,
) -> list[str]:
    """Verify a signature for each key that is given; return their schemes (`es256k`, `v1`, `rfc9421`).

    `url`: the endpoint, as the webhook has it. `headers`: by their names in any case. `body`: the bytes, as
    they were received. `public_key`: base64, as `/publickeys` shows it. `secret`: `whsec_...`. `jwks`: the
    document of `/.well-known/jwks.json`. `now`: epoch seconds, by default the clock's; `tolerance`: how many
    seconds the callback may lie before or after it.

    Raises VerificationError, which names the first fault, and InvalidKeyError for a malformed key or secret.
    """
    received = _Received(headers)
    window = _Window(int(time.time()) if now is None else now, tolerance)
    timestamp = received.timestamp()
    window.check(timestamp, name="webhook-timestamp")
    content = standard_webhooks.signed_content(
        delivery_id=received.delivery_id(), timestamp=timestamp, body=body
    )

    verified: list[str] = []
    if public_key is not None:
        verified.append(_verify_ecdsa(received, content, read_public_key(public_key)))
    if secret is not None:
        verified.append(_verify_hmac(received, content, decode_secret(secret)))
    if jwks is not None:
        signed = _signed_input(received, window)
        if received.value("content-digest") != http_signatures.content_digest(body):
            raise VerificationError("Content-Digest is not the sha-256 digest of the body")
        components = _components(signed, received, method=method, url=url)
        base = http_signatures.signature_base(components, signed.value)
        verified.append(_verify_http_signature(received, signed, base=base, jwks=jwks))
    if not verified:
        raise VerificationError("nothing to verify with: no public key, no secret, no JWKS")
    return verified


@dataclass(frozen=True)
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
        if not _is_field_value(value):
            raise VerificationError(f"the header {name} is not printable ASCII")
        return value

    def delivery_id(self) -> str:
        value = self.value("webhook-id")
        if "." in value:  # dots join the signed content: such an id could reach into the timestamp
            raise VerificationError("webhook-id has a dot")
        return value

    def timestamp(self) -> int:
        value = self.value("webhook-timestamp")
        if not value.isdigit() or len(value) > _TIMESTAMP_DIGITS_MAX or str(int(value)) != value:
            raise VerificationError("webhook-timestamp is not epoch seconds")
        return int(value)

    def tokens(self) -> list[standard_webhooks.Token]:
        tokens = standard_webhooks.parse_tokens(self.value("webhook-signature"))
        if tokens is None:
            raise VerificationError("webhook-signature is a list of scheme,base64 with one blank between two")
        return tokens


def _verify_ecdsa(received: _Received, content: bytes, key: PublicKey) -> str:
    scheme = key.curve.scheme
    if not standard_webhooks.has_ecdsa_signature(received.tokens(), content, key):
        raise VerificationError(f"webhook-signature: no {scheme} signature of the service key holds")
    return scheme


def _verify_hmac(received: _Received, content: bytes, secret: bytes) -> str:
    scheme = standard_webhooks.HMAC_SCHEME
    if not standard_webhooks.has_hmac_signature(received.tokens(), content, secret):
        raise VerificationError(f"webhook-signature: no {scheme} signature of the webhook's secret holds")
    return scheme


def _verify_http_signature(
    received: _Received, signed: SignatureInput, *, base: bytes, jwks: Mapping[str, Any]
) -> str:
    if not _content_key(signed, jwks).verify(base, _signature(received, signed.label)):
        raise VerificationError("Signature does not hold for the components that Signature-Input covers")
    return http_signatures.SCHEME


def _signed_input(received: _Received, window: _Window) -> SignatureInput:
    inputs = http_signatures.parse_signature_input(received.value("signature-input"))
    if inputs is None:
        raise VerificationError("Signature-Input is malformed")
    signed = next((each for each in inputs if each.text("tag") == http_signatures.TAG), None)
    if signed is None:
        raise VerificationError(f'Signature-Input has no signature with tag="{http_signatures.TAG}"')
    # The key decides the algorithm, not the sender: it may be left out, but not be another.
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
) -> Iterator[tuple[str, str]]:
    if not (_is_field_value(method) and _is_field_value(url)):
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


def _is_field_value(text: str) -> bool:
    """Check for a header's value as it is: printable ASCII, no blank at either end."""
    return text != "" and text.isascii() and text.isprintable() and text[0] != " " and text[-1] != " "
