"""The stages of a delivery in the dispatcher: each is a value with the facts known there."""

from webhooks.domain.delivery import Delivery, Pack
from webhooks.domain.delivery_log import Logged, LogKey
from webhooks.domain.errors import UnavailableError
from webhooks.domain.http import HttpOutcome, HttpRequest
from webhooks.domain.retry import Verdict
from webhooks.domain.values import value_type
from webhooks.domain.webhook import Credential, Webhook


@value_type(frozen=True, slots=True)
class DeliveryMessage:
    """A message of the deliveries queue; `receives`: how often it was received, this time included."""

    id: str
    text: str
    receives: int = 1
    receipt: str = ""


@value_type(frozen=True, slots=True)
class Decoded:
    """A delivery, the message and the pack that brought it, and its key in the delivery log.

    `known`: its state in the log, None for one that is not in it, or before the log was read.
    """

    message: DeliveryMessage
    pack: Pack
    delivery: Delivery
    key: LogKey
    known: Logged | None = None


@value_type(frozen=True, slots=True)
class Prepared:
    """A delivery with the webhook as it is now, and its credential: ready to be sent."""

    decoded: Decoded
    webhook: Webhook
    credential: Credential | None = None


@value_type(frozen=True, slots=True)
class Signed:
    """A delivery with the request of its next attempt, signed at `at` (epoch s)."""

    prepared: Prepared
    request: HttpRequest
    at: float


@value_type(frozen=True, slots=True)
class Attempted:
    """A delivery after an HTTP try."""

    signed: Signed
    outcome: HttpOutcome


@value_type(frozen=True, slots=True)
class Decided:
    """A delivery with its new attempt (in `decoded`), and the verdict on it."""

    decoded: Decoded
    webhook: Webhook
    outcome: HttpOutcome
    verdict: Verdict


@value_type(frozen=True, slots=True)
class Malformed:
    """A message that is no pack: it is dead-lettered as it came."""

    message: DeliveryMessage
    reason: str


@value_type(frozen=True, slots=True)
class Newer:
    """A message with a pack of a form that only a later release reads: it comes again."""

    message: DeliveryMessage


@value_type(frozen=True, slots=True)
class Skipped:
    """A delivery that is not attempted; `dead`: it is dead-lettered, as its tenant should know of it;
    `is_fault`: of the service, not of its tenant.
    """

    decoded: Decoded
    reason: str
    dead: bool = False
    is_fault: bool = False


@value_type(frozen=True, slots=True)
class Held:
    """A delivery that is not attempted while its webhook holds: the log keeps it, with its payload."""

    decoded: Decoded
    webhook: Webhook
    reason: str


@value_type(frozen=True, slots=True)
class Kept:
    """A delivery of a webhook's backlog that stays there as the log has it already."""

    decoded: Decoded
    webhook: Webhook


@value_type(frozen=True, slots=True)
class Deferred:
    """A delivery that the fast lane has not started and leaves to the slow one."""

    decoded: Decoded


@value_type(frozen=True, slots=True)
class LookedFor:
    """A delivery that was looked for in a part of the log, up to a place: the slow lane goes on behind it."""

    decoded: Decoded
    place: str


@value_type(frozen=True, slots=True)
class Delayed:
    """A delivery that its webhook's rate limit lets be sent later, at `due` (epoch ms)."""

    decoded: Decoded
    due: int


@value_type(frozen=True, slots=True)
class Duplicate:
    """A delivery that another message of the batch brings too: it is settled when that one is."""

    decoded: Decoded
    settled_with: str


@value_type(frozen=True, slots=True)
class Failed:
    """A delivery whose message must come again; `fault`: an error of our own code, which can end it."""

    decoded: Decoded
    reason: str
    fault: Exception | None = None


def failed(decoded: Decoded, error: Exception) -> Failed:
    """Return a failure by its error: an outage is no fault of our code."""
    if isinstance(error, UnavailableError):
        return Failed(decoded, str(error))
    return Failed(decoded, type(error).__name__, fault=error)


type NotSent = Skipped | Held | Kept | Deferred | LookedFor | Delayed | Duplicate | Failed
type Unread = Malformed | Newer
type Stage = Decided | Unread | NotSent


def message_of(stage: Signed | Stage) -> DeliveryMessage:
    """Return the message that brought a delivery, or that is no pack."""
    match stage:
        case Signed(prepared=prepared):
            return prepared.decoded.message
        case Malformed(message=message) | Newer(message=message):
            return message
    return stage.decoded.message
