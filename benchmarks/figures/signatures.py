"""All signature headers of one delivery (a 2 KB body), as the dispatcher makes them.

They are two ECDSA signatures, an HMAC and a digest, measured against no more than the curve operations in
them: secp256k1 by libsecp256k1, P-256 by OpenSSL.
"""

from base64 import b64encode

from coincurve import PrivateKey as Signer
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks import event_path
from benchmarks.figure import Goal, Measured, Reading
from benchmarks.paired import cpu_ratios
from local.progress import Progress
from signing import CallbackKeys, Curve, PrivateKey, sign_callback, thumbprint

TITLE = "Signature headers of one delivery"
AGAINST = "the bare curve operations in them"
GOAL = Goal(1.5)
DELIVERIES = 2_000  # in one run
SCALAR, SECRET = b"s" * 32, b"w" * 32  # a private key, and a webhook's secret
ECDSA = ec.ECDSA(hashes.SHA256())


def measure(progress: Progress) -> Measured:
    readings = []
    for curve, name in ((Curve.SECP256K1, "es256k (default)"), (Curve.P256, "es256")):
        with progress.step(name):
            readings.append(Reading(name, _ratios(curve), goal=GOAL))
    return Measured(readings)


def _ratios(curve: Curve) -> list[float]:
    body = event_path.parsed(1).body.encode()
    signing = PrivateKey.from_base64(b64encode(SCALAR).decode(), Curve.P256)
    service = PrivateKey.from_base64(b64encode(SCALAR).decode(), curve)
    keys = CallbackKeys(service=service, signing=signing, signing_key_id=thumbprint(signing.public_key))
    openssl = ec.derive_private_key(int.from_bytes(SCALAR), ec.SECP256R1())
    libsecp256k1 = Signer(SCALAR)

    def subject() -> int:
        for number in range(DELIVERIES):
            sign_callback(
                method="POST",
                url="https://example.com/hook",
                content_type="application/json",
                body=body,
                delivery_id=f"{number:024x}-{number:012x}-{number:032x}",
                timestamp=1_790_000_000 + number,
                keys=keys,
                webhook_secrets=[SECRET],
            )
        return DELIVERIES

    def baseline() -> int:
        for _ in range(DELIVERIES):
            openssl.sign(body, ECDSA)
            if curve is Curve.P256:
                openssl.sign(body, ECDSA)
            else:
                libsecp256k1.sign_recoverable(body)
        return DELIVERIES

    return cpu_ratios(subject, baseline)
