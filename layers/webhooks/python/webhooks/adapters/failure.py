"""Names what ended an attempt without an answer, in words that hold nothing of the request."""

import ssl
from enum import StrEnum

from webhooks.adapters.deadline import DeadlineError
from webhooks.adapters.egress import EgressRefusedError, HostUnresolvedError
from webhooks.adapters.reading import NotHttpError
from webhooks.domain.exchange import NoAnswerReason

type Failure = EgressRefusedError | HostUnresolvedError | DeadlineError | NotHttpError | OSError
FAILURES = (EgressRefusedError, HostUnresolvedError, DeadlineError, NotHttpError, OSError)


class Phase(StrEnum):
    """How far an attempt came."""

    RESOLVING = "resolving the host"
    CONNECTING = "connecting"
    HANDSHAKE = "the TLS handshake"
    SENDING = "sending the request"
    ANSWERING = "waiting for the answer"


def explain(error: Failure, phase: Phase) -> tuple[NoAnswerReason, str]:
    """Return the reason and the detail of an attempt that got no answer."""
    match error:
        case EgressRefusedError():
            return NoAnswerReason.REFUSED, error.reason
        case HostUnresolvedError():
            return NoAnswerReason.DNS, str(error)
        case DeadlineError() | TimeoutError():
            return NoAnswerReason.DEADLINE, f"the time was up: {phase}"
        case NotHttpError():
            return NoAnswerReason.MALFORMED, str(error)
    return _broken(error, phase)


def _broken(error: OSError, phase: Phase) -> tuple[NoAnswerReason, str]:
    if phase is Phase.CONNECTING:
        reason = NoAnswerReason.CONNECT
    elif phase is Phase.HANDSHAKE or isinstance(error, ssl.SSLError):
        reason = NoAnswerReason.TLS
    else:
        reason = NoAnswerReason.RESET
    return reason, _words(error)


def _words(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return (error.reason or "TLS failed").lower().replace("_", " ")
    return error.strerror or str(error) or type(error).__name__
