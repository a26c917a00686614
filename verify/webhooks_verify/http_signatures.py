"""HTTP message signatures (RFC 9421) and content digests (RFC 9530), as far as callbacks use them."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from . import base64_text

SCHEME = "rfc9421"
TAG = "webhook"
ALGORITHM = "ecdsa-p256-sha256"
# A signature that leaves one of these out proves too little.
COMPONENTS = ("@method", "@target-uri", "content-digest", "content-type", "webhook-id", "webhook-timestamp")

# The origin of an absolute URI, and the rest without its fragment (RFC 3986, appendix B).
_URI = re.compile(r"([^:/?#]+://[^/?#]*)([^#]*)")

# Structured fields (RFC 9651): the part that Signature-Input and Signature use.
_KEY = r"[a-z*][a-z0-9_.*-]*"
_BARE = r"""-?[0-9]{1,15}|"[ !#-\[\]-~]*"|[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*|\?[01]|:[A-Za-z0-9+/=]*:"""
_PARAMETER = rf";{_KEY}(?:=(?:{_BARE}))?"
_COMPONENT = rf'"[ !#-\[\]-~]*"(?:{_PARAMETER})*'
_COMPONENT_LIST = rf"\((?P<components>{_COMPONENT}(?: {_COMPONENT})*)?\)"
_INPUT = re.compile(rf"(?P<label>{_KEY})=(?P<value>{_COMPONENT_LIST}(?P<parameters>(?:{_PARAMETER})*))")
_SIGNATURE = re.compile(rf"(?P<label>{_KEY})=:(?P<value>[A-Za-z0-9+/=]*):")
_SEPARATOR = re.compile(r"[ \t]*,[ \t]*")
_ONE_COMPONENT = re.compile(_COMPONENT)
_ONE_PARAMETER = re.compile(rf";({_KEY})(?:=({_BARE}))?")


@dataclass(frozen=True, slots=True)
class SignatureInput:
    """One member of a Signature-Input header: the covered components, and the parameters as written."""

    label: str
    value: str
    components: tuple[str, ...]
    parameters: Mapping[str, str]

    def text(self, name: str) -> str | None:
        """Read a string parameter; None where it is absent or of another type."""
        value = self.parameters.get(name, "")
        return value[1:-1] if value.startswith('"') else None

    def number(self, name: str) -> int | None:
        """Read an integer parameter; None where it is absent or of another type."""
        value = self.parameters.get(name, "")
        return int(value) if value.removeprefix("-").isdigit() else None


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


def signature_base(components: Iterable[tuple[str, str]], params: str) -> bytes:
    """Write the signed bytes (RFC 9421, section 2.5): a line for each (name, value), then the parameters."""
    lines = "".join(f'"{name}": {value}\n' for name, value in components)
    return f'{lines}"@signature-params": {params}'.encode()


def parse_signature_input(header: str) -> list[SignatureInput] | None:
    """Read a Signature-Input header; None where it is malformed."""
    members = _members(_INPUT, header)
    if members is None:
        return None
    return [
        SignatureInput(
            label=member["label"],
            value=member["value"],
            components=tuple(_ONE_COMPONENT.findall(member["components"] or "")),
            parameters=dict(_ONE_PARAMETER.findall(member["parameters"])),
        )
        for member in members
    ]


def parse_signature(header: str) -> dict[str, bytes | None] | None:
    """Read a Signature header: bytes by label, None for bad base64; None where it is malformed."""
    members = _members(_SIGNATURE, header)
    if members is None:
        return None
    return {member["label"]: base64_text.decode(member["value"]) for member in members}


def _members(pattern: re.Pattern[str], header: str) -> list[re.Match[str]] | None:
    members: list[re.Match[str]] = []
    position = 0
    while (member := pattern.match(header, position)) is not None:
        members.append(member)
        if member.end() == len(header):
            return members
        separator = _SEPARATOR.match(header, member.end())
        if separator is None:
            return None
        position = separator.end()
    return None
