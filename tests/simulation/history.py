"""Everything that happened in a run, in the order of ticks."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from webhooks.domain.delivery import delivery_of
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.event import parse_event
from webhooks.domain.http import HttpOutcome, HttpResponse
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Credential, StoredCredential, Webhook
from webhooks.services.fanout.community_versions import VALID_SECONDS


@dataclass(eq=False)
class Invocation:
    """One run of a function on a batch."""

    number: int
    function: str
    started: int
    messages: tuple[str, ...]
    # By delivery: its attempts in the log when it was last read, and the tick at which it was recorded.
    seen: dict[str, int] = field(default_factory=dict)
    recorded: dict[str, int] = field(default_factory=dict)
    # By delivery: the tick at which the log was last read.
    read_at: dict[str, int] = field(default_factory=dict)
    # By delivery: the kinds of the releases that its messages have, "" for none; its outcome when last read.
    brought: dict[str, set[str]] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    # Webhooks as they were last read.
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    # Deliveries that a fault kept out of the log, and those that a queue did not take, or seemed not to.
    unrecorded: set[str] = field(default_factory=set)
    untaken: set[str] = field(default_factory=set)
    is_killed: bool = False
    is_over: bool = False
    failure: BaseException | None = None


@dataclass(frozen=True)
class ReceivedCall:
    """A request as an endpoint got it.

    `seen`, `known`, `webhook`: the delivery's attempts, its outcome and its webhook as its invocation last
    read them; `read_at`: the tick of that, or of the first read of a look that took several messages. `at`: the
    time of the request.
    """

    tick: int
    invocation: Invocation
    delivery_id: str
    attempt: int
    url: str
    method: str
    authorization: str | None
    body: dict[str, Any]
    outcome: HttpOutcome
    seen: int
    webhook: Webhook | None
    known: Outcome | None
    read_at: int | None
    at: float

    @property
    def releases(self) -> set[str]:
        """Why it was sent: the kinds of the releases that brought it, "" for none."""
        return self.invocation.brought.get(self.delivery_id, {""})

    @property
    def is_success(self) -> bool:
        return isinstance(self.outcome, HttpResponse) and self.outcome.status == 200


@dataclass(frozen=True)
class Publication:
    """A published message; `event` is None if it is invalid."""

    tick: int
    message_id: str
    text: str
    event: dict[str, Any] | None

    @property
    def scope(self) -> Scope:
        assert self.event is not None
        return Scope(self.event["tenantId"], self.event["communityId"])

    def delivery_to(self, webhook_id: str) -> str:
        """Return the id of the event's delivery to a webhook."""
        event = parse_event(self.text, message_id=self.message_id, sent_at=0)
        return delivery_of(event, webhook_id).id


# Seconds after which fan-out sees a change that was never counted: its versions' time, and an invocation's.
UNCOUNTED_SECONDS = VALID_SECONDS + 30


@dataclass
class Revision:
    """A webhook as it was from a tick on; None: deleted. `seen`: the tick from which fan-out must see it."""

    since: int
    webhook: Webhook | None
    stored_at: float
    request: str | None  # the key of the request that made it
    seen: int | None = None


@dataclass
class History:
    publications: list[Publication] = field(default_factory=list)
    revisions: dict[str, list[Revision]] = field(default_factory=dict)
    credentials: dict[StoredCredential, Credential] = field(default_factory=dict)
    invocations: list[Invocation] = field(default_factory=list)
    calls: list[ReceivedCall] = field(default_factory=list)
    acknowledged: dict[str, int] = field(default_factory=dict)  # messages of the events queue
    # By message of the fast lane: when it was sent, and its deliveries.
    packs: dict[str, tuple[float, set[str]]] = field(default_factory=dict)
    looks_began: dict[str, int] = field(default_factory=dict)  # those that took several messages, by delivery
    slices: dict[str, str] = field(default_factory=dict)  # the event's id, by a slice's message id
    broken: set[tuple[str, str]] = field(
        default_factory=set
    )  # webhooks, and a part of the reason that names the damage
    repeated_events: set[str] = field(default_factory=set)
    releases: Counter[str] = field(default_factory=Counter)  # packs with a release, by delivery
    faults: Counter[str] = field(default_factory=Counter)

    def see_answer(self, request: str, tick: int) -> None:
        """Note that fan-out must see the changes that a request made, as it was answered."""
        for revision in chain.from_iterable(self.revisions.values()):
            if revision.request == request:
                revision.seen = revision.seen or tick

    def see_all_revisions(self, tick: int) -> None:
        """Note that fan-out must see all changes up to now."""
        for revision in chain.from_iterable(self.revisions.values()):
            revision.seen = revision.seen or tick

    def see_old_revisions(self, tick: int, now: float) -> None:
        """Note the changes that were never counted once fan-out must see them all the same."""
        for revision in chain.from_iterable(self.revisions.values()):
            if revision.seen is None and now > revision.stored_at + UNCOUNTED_SECONDS:
                revision.seen = tick

    def seen_states(self, webhook_id: str, since: int, until: int) -> list[Webhook | None]:
        """Return each state that fan-out may have read of the webhook between two ticks."""
        revisions = self.revisions[webhook_id]
        ends = [*(revision.seen for revision in revisions[1:]), None]
        return [
            revision.webhook
            for revision, end in zip(revisions, ends, strict=True)
            if revision.since <= until and (end is None or end > since)
        ]

    def states(self, webhook_id: str, since: int, until: int) -> list[Webhook | None]:
        """Return each state of the webhook between two ticks."""
        revisions = self.revisions[webhook_id]
        ends = [*(revision.since for revision in revisions[1:]), None]
        return [
            revision.webhook
            for revision, end in zip(revisions, ends, strict=True)
            if revision.since <= until and (end is None or end > since)
        ]
