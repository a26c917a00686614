"""HTTP message signatures (RFC 9421) and content digests (RFC 9530), as far as callbacks use them."""

import hashlib
import re

from . import base64_text

LABEL = "webhook"
TAG = "webhook"
ALGORITHM = "ecdsa-p256-sha256"
COMPONENTS = ("@method", "@target-uri", "content-digest", "content-type", "webhook-id", "webhook-timestamp")
_COVERED = "(" + " ".join(f'"{name}"' for name in COMPONENTS) + ")"
_CALLBACK_BASE = "".join(f'"{name}": %s\n' for name in COMPONENTS) + '"@signature-params": %s'

# The origin of an absolute URI, and the rest without its fragment (RFC 3986, appendix B).
_URI = re.compile(r"([^:/?#]+://[^/?#]*)([^#]*)")


def content_digest(body: bytes) -> str:
    """Write the Content-Digest of a body (RFC 9530, section 2)."""
    return f"sha-256=:{base64_text.encode(hashlib.sha256(body).digest())}:"


def target_uri(url: str) -> str:
    """Write the URI that a request for this URL asks for: no fragment, and `/` for an empty path.

    Otherwise it stays as it is (RFC 9421, section 2.2.2): the server sees those very characters.
    """
    match = _URI.match(url)
    if match is None:
        return url
    origin, rest = match.groups()
    return origin + rest if rest.startswith("/") else f"{origin}/{rest}"


def signature_params(*, created: int, key_id: str) -> str:
    """Write the value of a callback's Signature-Input member: components, time and key."""
    return f'{_COVERED};created={created};keyid="{key_id}";alg="{ALGORITHM}";tag="{TAG}"'


def callback_base(values: tuple[str, ...], params: str) -> bytes:
    """Write the bytes that a callback's signature signs, from the values of `COMPONENTS` in their order."""
    return (_CALLBACK_BASE % (*values, params)).encode()
