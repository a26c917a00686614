"""The ports of the use cases, as Protocols: `adapters` implements them for AWS, `tests/fakes` in memory.

Every method may raise UnavailableError when the service behind it does not answer. domain.errors has the
errors.
"""

from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from webhooks.domain.caller import License
from webhooks.domain.delivery import Pack
from webhooks.domain.delivery_log import LogEntry, Logged, LogKey
from webhooks.domain.errors import CorruptError
from webhooks.domain.event_slice import EventSlice, Span
from webhooks.domain.http import EXCERPT_BYTES, ClientCredentials, HttpOutcome, HttpRequest, NoResponse
from webhooks.domain.keyring import KeyPairs
from webhooks.domain.lane import Lane
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Credential, CredentialRef, IndexEntry, Webhook

Clock = Callable[[], float]  # epoch seconds
RandomBytes = Callable[[int], bytes]  # that many random bytes
Rng = Callable[[], float]  # from 0 up to 1
TimeLeft = Callable[[], float]  # seconds until the running invocation is ended


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """The response to a state-changing request, which its exact repeat gets again until `expires_at`.

    `replaces`: the token of a record under the same key that no longer counts; no other is replaced.
    """

    key: str
    body: str
    expires_at: int
    replaces: str | None = None


DELETED = 0  # in place of a revision: webhooks begin at 1


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """An idempotency record as it is stored, with the revision of the webhook after the change, or DELETED.

    `token` is no other record's. `webhook_id` is None in records of versions that did not store it.
    """

    body: str
    token: str
    webhook_id: str | None
    revision: int


@dataclass(frozen=True, slots=True)
class Page:
    """Webhooks of a page, newest first, and the exact number of all that fit the filter."""

    total: int
    webhooks: Sequence[Webhook]


@dataclass(frozen=True, slots=True)
class ListedCredential:
    """A credential's secret as the account lists it; `created_at` in epoch seconds.

    `is_bound`: it belongs to this deployment's table and stack, and not to another deployment of its name.
    """

    secret_name: str
    scope: Scope
    webhook_id: str
    created_at: float
    is_bound: bool


class Subscriptions(Protocol):
    """Webhooks with their index, totals and version: every change is one transaction."""

    def next_id(self, scope: Scope, *, now: float) -> str:
        """Reserve a webhook id: 24 hex characters, sortable by time of creation, never given twice."""

    def add(self, webhook: Webhook, record: IdempotencyRecord, *, limit: int | None = None) -> None:
        """Store a new webhook. Raises AlreadyProcessedError where its key has a record: nothing is changed.

        Raises CommunityFullError where its community has `limit` webhooks already, InvalidWebhookError where
        it has so many event names and tags, or so long a definition, that no transaction holds it.
        """

    def count(self, scope: Scope) -> int:
        """Return how many webhooks a community has."""

    def change(self, before: Webhook, after: Webhook, *, record: IdempotencyRecord | None) -> None:
        """Replace a webhook.

        Raises StaleError if `before` is not the stored one, AlreadyProcessedError as `add`,
        InvalidWebhookError as `add`, and where too many event names and tags change at once.
        """

    def remove(self, webhook: Webhook, record: IdempotencyRecord) -> None:
        """Delete a webhook. Raises StaleError and AlreadyProcessedError as `change`."""

    def get(self, scope: Scope, webhook_id: str) -> Webhook | None:
        """Return a webhook as it is now."""

    def get_many(
        self, keys: Sequence[tuple[Scope, str]]
    ) -> Mapping[tuple[Scope, str], Webhook | CorruptError]:
        """Return the webhooks that exist, read consistently; a corrupt one as its error."""

    def page(self, scope: Scope, *, index: int, size: int, tags: Sequence[str]) -> Page:
        """Return a page by its number; `tags`: only webhooks that have any of them."""

    def find_record(self, idempotency_key: str) -> StoredRecord | None:
        """Return the record under an idempotency key."""


class SlowMarks(Protocol):
    """Remembers with a webhook whether its endpoint is slow."""

    def mark(self, scope: Scope, webhook_id: str, *, slow_since: int | None) -> None:
        """Write since when it is slow, in epoch seconds, or None: quick. A webhook that is gone is fine."""


@dataclass(frozen=True, slots=True)
class BatchContext:
    """A batch's webhooks, those unreadable as their error, and the state of its deliveries in the log."""

    webhooks: Mapping[tuple[Scope, str], Webhook | CorruptError]
    logged: Mapping[LogKey, Logged]


class BatchReader(Protocol):
    """Reads webhooks and log together."""

    def read(self, webhooks: Sequence[tuple[Scope, str]], log: Sequence[LogKey]) -> BatchContext:
        """Return those of both that exist, read consistently, in one call for up to 100 items."""


@dataclass(frozen=True, slots=True)
class ListenerPage:
    """Enabled webhooks that list an event's name, in the order of their sequence numbers.

    An entry that cannot be read is its error. `next_sequence`: the start of the next page, None at the end;
    `bytes`: of the entries in memory, at most.
    """

    entries: Sequence[IndexEntry | CorruptError]
    next_sequence: int | None
    bytes: int


class SubscriptionIndex(Protocol):
    """Webhooks by event name, for fan-out."""

    def versions(self, scopes: Sequence[Scope]) -> Mapping[Scope, int]:
        """Return each community's present version, 0 for one that never had a webhook: one call."""

    def listeners(self, scope: Scope, event_name: str, *, span: Span, limit: int) -> ListenerPage:
        """Return the first listeners of a span, at most `limit`, at least as new as the last version read."""

    def last_sequence(self, scope: Scope, event_name: str) -> int:
        """Return the largest sequence number of the name's listeners, 0 without any."""


class Credentials(Protocol):
    """Webhooks' credentials, each a secret with versions."""

    def create(self, scope: Scope, webhook_id: str, *, credential: Credential) -> CredentialRef:
        """Store a webhook's first credential."""

    def replace(self, ref: CredentialRef, credential: Credential) -> CredentialRef:
        """Store a new version beside the one in use, which stays readable until `settle`."""

    def settle(self, ref: CredentialRef) -> None:
        """Make this version the secret's current one: a webhook points to it now."""

    def read(self, ref: CredentialRef) -> Credential:
        """Return a credential; a version never changes: it may be cached. Raises CredentialMissingError."""

    def read_many(self, refs: Sequence[CredentialRef]) -> Sequence[Credential | None]:
        """Return several, in their order; None where the secret is missing."""

    def delete(self, ref: CredentialRef) -> None:
        """Delete a credential with all its versions; absent is fine."""


class CredentialSecrets(Protocol):
    """All credentials' secrets, for the orphan cleanup."""

    def listed(self) -> Sequence[ListedCredential]:
        """Return every credential's secret, without those that are scheduled for deletion."""

    def expire(self, secret_name: str) -> None:
        """Schedule a secret's deletion; until then an operator can restore it. An absent secret is fine."""


class KeyStore(Protocol):
    """One set of key pairs in its secret."""

    def read(self) -> KeyPairs:
        """Return the pairs, at most 30 s old; the last known ones while they cannot be read."""

    def read_now(self) -> KeyPairs:
        """Return the pairs as they are now."""

    def replace(self, before: KeyPairs, after: KeyPairs) -> None:
        """Store new pairs. Raises StaleError if `before` is not the stored set."""


class MasterSecret(Protocol):
    """The secret from which the webhooks' own secrets are derived."""

    def read(self) -> bytes:
        """Return the master; the last known one while it cannot be read."""


class Licenses(Protocol):
    """The licenses of this deployment, or of the License service."""

    def find(self, license_key: str, scope: Scope | None) -> License | None:
        """Return the key's license, or None; `scope`: the community in the request's path."""


class EndpointGuard(Protocol):
    """Decides to which URLs the service may connect."""

    def check(self, url: str) -> None:
        """Raise EndpointRefusedError for any other URL, or where the host has no address."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A call that many conversations may wait for: those with an equal key share one.

    It has `seconds` of its own, so that no short time of one fails the others; `done` gets its outcome,
    once, also where no conversation waits for it any more.
    """

    key: Hashable
    seconds: float
    done: Callable[[HttpOutcome], None]


@dataclass(frozen=True, slots=True)
class Call:
    """A request, and the seconds from its host's lookup to the response's last byte.

    `excerpt_bytes`: how much of the response's body is kept.
    """

    request: HttpRequest
    seconds: float
    excerpt_bytes: int = EXCERPT_BYTES
    shared: Shared | None = None


# Gives the calls that it needs, one after another, gets the outcome of each, and returns its result.
type Conversation[R] = Generator[Call, HttpOutcome, R]


class HttpClient(Protocol):
    """HTTP to tenants' endpoints."""

    def send_all[R](self, conversations: Sequence[Conversation[R]], *, pause: float) -> Iterator[Sequence[R]]:
        """Lead conversations, all at once; give the results of those that ended, as they end.

        At least every `pause` seconds something is given, if need be nothing but an empty sequence. An
        endpoint's failure is a value; an error of ours is raised in the conversation that it concerns.
        """


class Tokens(Protocol):
    """OAuth 2 access tokens."""

    def token(
        self, client: ClientCredentials, *, seconds: float, rejected: str | None = None
    ) -> Conversation[str | NoResponse]:
        """Return an access token; `rejected` is one that the endpoint did not take."""


class FastLane(Protocol):
    """The deliveries queue, as fan-out fills it."""

    def send(self, packs: Sequence[Pack]) -> Sequence[Pack]:
        """Send packs; returns those that the queue did not take."""


class DeliveryQueue(Protocol):
    """The slow lane and the dead-letter queue, as the dispatcher uses them."""

    def send_slow(self, packs: Sequence[tuple[Pack, int]]) -> Sequence[Pack]:
        """Send each pack into the slow lane, to be received after its seconds; returns those not taken."""

    def send_to_dlq(self, packs: Sequence[tuple[Pack, str]]) -> Sequence[Pack]:
        """Send packs to the dead-letter queue, each with the reason; returns those that it did not take."""

    def send_text_to_dlq(self, text: str, reason: str) -> None:
        """Send a message that is no pack to the dead-letter queue."""

    def delete(self, receipts: Sequence[str], lane: Lane) -> None:
        """Delete received messages before their batch ends; a message that cannot be deleted comes again."""


class EventsQueue(Protocol):
    """The events queue, as fan-out uses it."""

    def send(self, slices: Sequence[EventSlice]) -> bool:
        """Send slices of wide events; tells whether the queue took them all."""

    def delete(self, receipts: Sequence[str]) -> None:
        """Delete received messages before their batch ends; one that cannot be deleted comes again."""


class EventsDlq(Protocol):
    """The events queue's dead-letter queue."""

    def send_to_dlq(self, text: str, reason: str) -> None:
        """Send an event to it as it came."""


class DeliveryLog(Protocol):
    """The attempt log: one item per delivery."""

    def record(self, entries: Sequence[LogEntry]) -> Sequence[LogEntry]:
        """Write the entries, each over its delivery's earlier one; returns those not written."""


class Background(Protocol):
    """A thread beside the one that asks; as `concurrent.futures.Executor`."""

    def submit[T, R](self, work: Callable[[T], R], item: T, /) -> Future[R]:
        """Begin work; its result, or its error, is in the future."""


class Workers(Protocol):
    """Does a batch's work at the same time."""

    def map[T, R](self, work: Callable[[T], R], items: Sequence[T]) -> Iterable[R]:
        """Return the work's result for each item, in their order."""
