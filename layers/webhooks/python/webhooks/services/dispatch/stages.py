"""The types that a delivery passes through in the dispatcher: what is known of it at each stage."""

from dataclasses import dataclass

from webhooks.domain.delivery import Delivery, Pack
from webhooks.domain.http import HttpOutcome, HttpRequest
from webhooks.domain.retry import Verdict
from webhooks.domain.webhook import Credential, Webhook


@dataclass(frozen=True, slots=True)
class DeliveryMessage:
    """A message of the deliveries queue; `receives`: how often it was received, this time included."""

    id: str
    text: str
    receives: int = 1
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A message that is a pack."""

    message: DeliveryMessage
    pack: Pack


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery with the webhook as it is now, and its credential: ready to be sent."""

    message: DeliveryMessage
    pack: Pack
    delivery: Delivery
    webhook: Webhook
    credential: Credential | None = None

    @property
    def message_id(self) -> str:
        """Return which message brought it."""
        return self.message.id


@dataclass(frozen=True, slots=True)
class Signed:
    """A delivery with the request of its next attempt, signed at `at` (epoch s)."""

    prepared: Prepared
    request: HttpRequest
    at: float


@dataclass(frozen=True, slots=True)
class Decided:
    """A delivery with its new attempt, and what follows from it."""

    message_id: str
    pack: Pack
    delivery: Delivery
    webhook: Webhook
    exchange: HttpOutcome
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Skipped:
    """A delivery that is not attempted; `dead`: somebody should see it, so it is dead-lettered."""

    message_id: str
    pack: Pack
    delivery: Delivery
    reason: str
    dead: bool = False


@dataclass(frozen=True, slots=True)
class Deferred:
    """A delivery that the fast lane has not started and leaves to the slow one."""

    message_id: str
    pack: Pack
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Failed:
    """A delivery that a fault of ours kept back: its message must come again."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A delivery that another message of the batch brings too: it is settled when that one is."""

    message_id: str
    settled_with: str


type Ready = Prepared | Skipped | Deferred | Duplicate | Failed
type Stage = Decided | Skipped | Deferred | Duplicate | Failed
