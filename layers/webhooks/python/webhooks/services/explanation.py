"""Explains an event: for each webhook that listens to its name, whether it gets the event, and why not.

Computed from the webhooks as they are now, and from the ids of deliveries, which follow from the event; the
delivery log adds what became of a delivery. A page is bounded work, whatever tenants register.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final

from webhooks.domain.delivery import delivery_id
from webhooks.domain.delivery_log import LogKey, Outcome
from webhooks.domain.errors import CorruptError
from webhooks.domain.event import Event
from webhooks.domain.event_slice import MAX_SEQUENCE, Span
from webhooks.domain.explanation import FailedCondition, explain
from webhooks.domain.matching import MAX_VISITS, CostlyQueryError, EventFields
from webhooks.domain.scope import Scope
from webhooks.domain.values import value_type
from webhooks.domain.webhook import IndexEntry, Webhook
from webhooks.ports import DeliveryLogReader, HealthStore, SubscriptionIndex, Subscriptions

PAGE: Final = 25  # listeners, and disabled webhooks, that a page looks at
PAGE_VISITS: Final = 2 * MAX_VISITS  # values of an event: about a second of a whole CPU
NAMED: Final = 100  # webhooks whose names are listed where no webhook listens
NAMES: Final = 200
_PLACE: Final = re.compile(r"l([0-9]{1,10})|d([0-9a-f]{24})?", re.ASCII)


class Result(StrEnum):
    """Whether a webhook gets an event."""

    MATCHED = "matched"
    FILTERED = "filtered"  # its query does not hold
    DISABLED = "disabled"
    UNKNOWN = "unknown"


@value_type(frozen=True, slots=True)
class Question:
    """An event to explain: whole, or by its name, id and log time alone.

    `event_id` is None for an event that has none: its deliveries are not known then.
    """

    scope: Scope
    event_name: str
    event_id: str | None
    log_time: int
    event: Event | None = None


@value_type(frozen=True, slots=True)
class Place:
    """A page's begin: among the listeners, from a sequence number; then behind a disabled webhook's id."""

    sequence: int | None = 0
    webhook_id: str | None = None

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """Read the text of a place; None for any other."""
        found = _PLACE.fullmatch(text)
        if found is None or (found[1] and int(found[1]) > MAX_SEQUENCE):
            return None
        return cls(int(found[1])) if found[1] else cls(None, found[2])

    def __str__(self) -> str:
        return f"d{self.webhook_id or ''}" if self.sequence is None else f"l{self.sequence}"


@value_type(frozen=True, slots=True)
class Explained:
    """A webhook's part of the explanation. `webhook_id` is None for an index entry that cannot be read."""

    webhook_id: str | None
    name: str | None
    result: Result
    reason: str | None = None
    conditions: tuple[FailedCondition, ...] = ()
    delivery_id: str | None = None
    outcome: Outcome | None = None


@value_type(frozen=True, slots=True)
class ListenedNames:
    """The event names of the newest `webhooks` of a community's `total`, sorted."""

    names: tuple[str, ...]
    webhooks: int
    total: int


@value_type(frozen=True, slots=True)
class ExplanationPage:
    """`following`: the next page's begin, None at the end. `listened`: where no webhook listens."""

    webhooks: tuple[Explained, ...]
    following: Place | None
    listened: ListenedNames | None = None


class Explanations:
    """The use case. `page_size` and `visits` bound the work of a page."""

    def __init__(
        self,
        *,
        index: SubscriptionIndex,
        subscriptions: Subscriptions,
        health: HealthStore,
        log: DeliveryLogReader,
        page_size: int = PAGE,
        visits: int = MAX_VISITS,
        page_visits: int = PAGE_VISITS,
    ) -> None:
        self._index = index
        self._subscriptions = subscriptions
        self._health = health
        self._log = log
        self._page_size = page_size
        self._visits = visits
        self._page_visits = page_visits

    def page(self, question: Question, place: Place) -> ExplanationPage:
        """Return a page: listeners in the order of their creation, then disabled webhooks."""
        explained: list[Explained] = []
        following: Place | None = place
        if place.sequence is not None:
            explained, following = self._listeners(question, place.sequence)
        has_listeners = bool(explained) or place != Place()
        if following is not None and following.sequence is None:
            disabled, following = self._disabled(question, following)
            explained += disabled
        listened = None if has_listeners else self._listened(question.scope)
        return ExplanationPage(self._with_outcomes(question, explained), following, listened)

    def _listeners(self, question: Question, first: int) -> tuple[list[Explained], Place]:
        page = self._index.all_listeners(
            question.scope, question.event_name, span=Span(first), limit=self._page_size
        )
        ids = [each.webhook_id for each in page.entries if isinstance(each, IndexEntry)]
        webhooks = self._webhooks(question.scope, ids)
        fields = EventFields(question.event.data) if question.event else None
        explained = []
        for entry in page.entries:
            if isinstance(entry, CorruptError):
                explained.append(Explained(None, None, Result.UNKNOWN, str(entry)))
                continue
            if fields is not None and fields.visited > self._page_visits:
                return explained, Place(entry.sequence)
            one = Explained(entry.webhook_id, _name(webhooks.get(entry.webhook_id)), Result.UNKNOWN)
            explained.append(one if fields is None else self._judged(one, entry, fields))
        return explained, Place(page.next_sequence)

    def _judged(self, one: Explained, entry: IndexEntry, fields: EventFields) -> Explained:
        try:
            found = explain(entry, fields, visits=self._visits)
        except CostlyQueryError:
            reason = (
                f"its query looks at over {self._visits} values of the event, which is dead-lettered for it"
            )
            return replace(one, reason=reason)
        if found.matched:
            return replace(one, result=Result.MATCHED)
        return replace(one, result=Result.FILTERED, conditions=found.conditions)

    def _disabled(self, question: Question, after: Place) -> tuple[list[Explained], Place | None]:
        ids = self._health.unhealthy(question.scope, after=after.webhook_id, size=self._page_size)
        webhooks = self._webhooks(question.scope, ids)
        explained = [
            Explained(webhook.id, _name(webhook), Result.DISABLED, webhook.disabled_reason)
            for webhook in map(webhooks.get, ids)
            if isinstance(webhook, Webhook)
            and not webhook.enabled
            and question.event_name in webhook.definition.event_names
        ]
        return explained, Place(None, ids[-1]) if len(ids) == self._page_size else None

    def _webhooks(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, Webhook | CorruptError]:
        found = self._subscriptions.get_many([(scope, each) for each in ids]) if ids else {}
        return {webhook_id: webhook for (_, webhook_id), webhook in found.items()}

    def _with_outcomes(self, question: Question, explained: Sequence[Explained]) -> tuple[Explained, ...]:
        """Add deliveries: of the webhooks that get the event, and of others where the log has one."""
        event_id, log_time = question.event_id, max(0, question.log_time)
        if event_id is None:
            return tuple(explained)
        keys = {
            each.webhook_id: LogKey(
                each.webhook_id,
                log_time,
                delivery_id(event_id, each.webhook_id, log_time=log_time),
            )
            for each in explained
            if each.webhook_id is not None
        }
        logged = self._log.find(list(keys.values())) if keys else {}
        completed = []
        for each in explained:
            key = keys.get(each.webhook_id) if each.webhook_id is not None else None
            entry = logged.get(key) if key else None
            if key is not None and (entry is not None or each.result is Result.MATCHED):
                is_found = question.event is None and each.result is Result.UNKNOWN
                completed.append(
                    replace(
                        each,
                        result=Result.MATCHED if is_found else each.result,
                        delivery_id=key.delivery_id,
                        outcome=entry.outcome if entry else None,
                    )
                )
            else:
                completed.append(each)
        return tuple(completed)

    def _listened(self, scope: Scope) -> ListenedNames:
        page = self._subscriptions.page(scope, index=0, size=NAMED, tags=())
        names = {name for each in page.webhooks if each.enabled for name in each.definition.event_names}
        return ListenedNames(tuple(sorted(names)[:NAMES]), len(page.webhooks), page.total)


def _name(webhook: Webhook | CorruptError | None) -> str | None:
    return webhook.definition.name if isinstance(webhook, Webhook) else None
