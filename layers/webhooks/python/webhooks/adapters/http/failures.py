"""Names the reason why a transfer had no response, without a word of the request or of the peer."""

import os
import re
from enum import StrEnum
from typing import Final

import pycurl  # type: ignore[import-untyped]

from webhooks.domain.http import NoResponseReason


class Phase(StrEnum):
    """How far an attempt came."""

    RESOLVING = "resolving the host"
    CONNECTING = "connecting"
    HANDSHAKE = "the TLS handshake"
    SENDING = "sending the request"
    ANSWERING = "waiting for the answer"


_WEIRD_REPLY: Final = 8  # pycurl has no name for it
_TOO_LARGE: Final = 100  # nor for this: headers beyond libcurl's own limits
TIMED_OUT: Final[int] = pycurl.E_OPERATION_TIMEDOUT
_REASONS: Final[dict[int, NoResponseReason]] = {
    pycurl.E_COULDNT_RESOLVE_HOST: NoResponseReason.DNS,
    pycurl.E_COULDNT_CONNECT: NoResponseReason.CONNECT,
    pycurl.E_OPERATION_TIMEDOUT: NoResponseReason.DEADLINE,
    pycurl.E_GOT_NOTHING: NoResponseReason.RESET,
    pycurl.E_RECV_ERROR: NoResponseReason.RESET,
    pycurl.E_SEND_ERROR: NoResponseReason.RESET,
    pycurl.E_SEND_FAIL_REWIND: NoResponseReason.RESET,
    pycurl.E_PARTIAL_FILE: NoResponseReason.RESET,
    pycurl.E_SSL_CONNECT_ERROR: NoResponseReason.TLS,
    pycurl.E_PEER_FAILED_VERIFICATION: NoResponseReason.TLS,
    pycurl.E_SSL_CIPHER: NoResponseReason.TLS,
    pycurl.E_SSL_CERTPROBLEM: NoResponseReason.TLS,
    pycurl.E_SSL_ISSUER_ERROR: NoResponseReason.TLS,
    pycurl.E_SSL_INVALIDCERTSTATUS: NoResponseReason.TLS,
    _WEIRD_REPLY: NoResponseReason.MALFORMED,
    pycurl.E_UNSUPPORTED_PROTOCOL: NoResponseReason.MALFORMED,
    pycurl.E_BAD_CONTENT_ENCODING: NoResponseReason.MALFORMED,
    pycurl.E_WRITE_ERROR: NoResponseReason.MALFORMED,
    _TOO_LARGE: NoResponseReason.MALFORMED,
}
_ENDED: Final[dict[int, str]] = {
    pycurl.E_GOT_NOTHING: "closed without an answer",
    pycurl.E_PARTIAL_FILE: "closed within its body",
}
_CERTIFICATE: Final = "SSL certificate problem: "
_UNSAFE: Final = re.compile(r"[^\x20-\x7e]")
_DETAIL_LENGTH: Final = 120


class TransferError(Exception):
    """libcurl failed in a way that is no peer's doing: a fault of ours."""


def explain(code: int, text: str, *, errno: int, phase: Phase) -> tuple[NoResponseReason, str]:
    """Return the reason and the detail of a transfer that got no response.

    `code` and `text` are libcurl's; `errno` is the system's, 0 for none. Raises TransferError.
    """
    reason = _REASONS.get(code)
    if reason is None:
        raise TransferError(f"libcurl: error {code}")
    if reason is NoResponseReason.DEADLINE:
        return reason, f"the time was up: {phase}"
    if reason is NoResponseReason.TLS:
        return reason, _tls(code, text)
    if reason is NoResponseReason.MALFORMED:
        return reason, "no HTTP"
    if code == pycurl.E_RECV_ERROR and "chunk" in text:
        return NoResponseReason.MALFORMED, "its chunks are malformed"
    if errno:
        return reason, os.strerror(errno)
    return reason, _ENDED.get(code, "the connection ended")


def _tls(code: int, text: str) -> str:
    if code != pycurl.E_PEER_FAILED_VERIFICATION:
        return _UNSAFE.sub("?", text)[:_DETAIL_LENGTH] or "TLS failed"
    if text.startswith(_CERTIFICATE):
        return f"certificate refused: {_UNSAFE.sub('?', text.removeprefix(_CERTIFICATE))[:_DETAIL_LENGTH]}"
    return "certificate refused: Hostname mismatch"
