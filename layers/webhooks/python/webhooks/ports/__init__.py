"""The ports of the use cases, as Protocols: `adapters` implements them for AWS, `tests/fakes` in memory.

Each module has the ports of one capability. Every method may raise UnavailableError when the service behind
it does not respond. domain.errors has the errors.
"""

from webhooks.ports.delivery import (
    BatchContext,
    BatchReader,
    DeliveryLog,
    DeliveryQueue,
    EventsDlq,
    EventsQueue,
    FastLane,
)
from webhooks.ports.http import Call, Conversation, EndpointGuard, HttpClient, Shared, Tokens
from webhooks.ports.runtime import Background, Clock, Probe, RandomBytes, Rng, TimeLeft, Workers
from webhooks.ports.secrets import (
    Credentials,
    CredentialSecrets,
    KeyStore,
    Licenses,
    ListedCredential,
    MasterSecret,
)
from webhooks.ports.subscriptions import (
    DELETED,
    IdempotencyRecord,
    ListenerPage,
    Page,
    SlowMarks,
    StoredRecord,
    SubscriptionIndex,
    Subscriptions,
)

__all__ = [
    "DELETED",
    "Background",
    "BatchContext",
    "BatchReader",
    "Call",
    "Clock",
    "Conversation",
    "CredentialSecrets",
    "Credentials",
    "DeliveryLog",
    "DeliveryQueue",
    "EndpointGuard",
    "EventsDlq",
    "EventsQueue",
    "FastLane",
    "HttpClient",
    "IdempotencyRecord",
    "KeyStore",
    "Licenses",
    "ListedCredential",
    "ListenerPage",
    "MasterSecret",
    "Page",
    "Probe",
    "RandomBytes",
    "Rng",
    "Shared",
    "SlowMarks",
    "StoredRecord",
    "SubscriptionIndex",
    "Subscriptions",
    "TimeLeft",
    "Tokens",
    "Workers",
]
