"""The ports of the use cases, as Protocols: `adapters` implements them for AWS, `tests/fakes` in memory.

Each module has the ports of one capability. Every method may raise UnavailableError when the service behind
it does not respond. domain.errors has the errors.
"""

from webhooks.ports.delivery import (
    BatchContext,
    BatchReader,
    DeliveryLog,
    DeliveryLogReader,
    DeliveryQueue,
    EventPublisher,
    EventsDlq,
    EventsQueue,
    FastLane,
    RateLimiter,
    RecoveryDlq,
    RecoveryQueue,
    Replays,
    SlowLane,
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
    Communities,
    HealthStore,
    IdempotencyRecord,
    ListenerPage,
    Page,
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
    "Communities",
    "Conversation",
    "CredentialSecrets",
    "Credentials",
    "DeliveryLog",
    "DeliveryLogReader",
    "DeliveryQueue",
    "EndpointGuard",
    "EventPublisher",
    "EventsDlq",
    "EventsQueue",
    "FastLane",
    "HealthStore",
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
    "RateLimiter",
    "RecoveryDlq",
    "RecoveryQueue",
    "Replays",
    "Rng",
    "Shared",
    "SlowLane",
    "StoredRecord",
    "SubscriptionIndex",
    "Subscriptions",
    "TimeLeft",
    "Tokens",
    "Workers",
]
