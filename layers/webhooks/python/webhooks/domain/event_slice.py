"""A slice of a wide event: the event, and the span of sequence numbers whose listeners still get it.

An event with more listeners than one invocation takes continues as messages of the events queue. The text of
a slice is a line that no event begins with, then the callback body, which is copied and never written anew.
"""

import json
import re
from itertools import pairwise
from math import ceil

from webhooks.domain.errors import InvalidEventError
from webhooks.domain.event import MAX_BODY_BYTES, Event, is_event_of, parse_event
from webhooks.domain.forms import EVENT_SLICE
from webhooks.domain.json_text import read_object
from webhooks.domain.scope import Scope
from webhooks.domain.values import value_type

WORD = "slice "
HEAD = re.compile(f"{WORD}([1-9][0-9]{{0,8}}) ", re.ASCII)
MAX_PARTS = 10  # of one split: they fit one call to the queue
MAX_SEQUENCE = 2**32 - 1


@value_type(frozen=True, slots=True)
class Span:
    """Sequence numbers of listeners, both ends included; `last` is None for a span without end."""

    first: int = 0
    last: int | None = None

    def split(self, *, at: int, last: int, done: int, size: int) -> "list[Span]":
        """Return the rest, from `at` to `last`, in parts of about `size` listeners.

        `done` listeners were found before `at`: the rest is expected to be as dense.
        """
        if at > last:
            return []
        width = last - at + 1
        expected = width * done / max(1, at - self.first)
        parts = min(max(1, ceil(expected / size)), MAX_PARTS, width)
        bounds = [at + width * part // parts for part in range(parts + 1)]
        return [Span(low, high - 1) for low, high in pairwise(bounds)]


@value_type(frozen=True, slots=True)
class EventSlice:
    """An event for the listeners of a span. `again`: it may have been sent before, in packs.

    `has_conditions`: some are found by conditions, of which a release that writes version 1 knows nothing.
    """

    event: Event
    span: Span = Span()
    again: bool = False
    has_conditions: bool = False


def is_slice(text: str) -> bool:
    """Tell whether the message is a slice; an event is JSON, which never begins like one."""
    return text.startswith(WORD)


def encode_slice(part: EventSlice) -> str:
    """Write a slice as the text of one message."""
    event, span = part.event, part.span
    head = {
        "eventId": event.id,
        "eventName": event.name,
        "tenantId": event.scope.tenant_id,
        "communityId": event.scope.community_id,
        "logTime": event.log_time,
        "first": span.first,
        "last": span.last,
        **({"again": True} if part.again else {}),
    }
    version = 2 if part.has_conditions else 1
    return f"{WORD}{version} {json.dumps(head, separators=(',', ':'))}\n{event.body}"


def parse_part(text: str, *, message_id: str, sent_at: int) -> EventSlice:
    """Read a message of the events queue: a slice, or an event for all its listeners.

    `message_id` and `sent_at` as for `parse_event`. Raises InvalidEventError, NewerFormError.
    """
    if is_slice(text):
        return parse_slice(text)
    return EventSlice(parse_event(text, message_id=message_id, sent_at=sent_at))


def parse_slice(text: str) -> EventSlice:
    """Read the text of `encode_slice`. Raises InvalidEventError, NewerFormError."""
    begin = HEAD.match(text)
    if begin is None:
        raise InvalidEventError("not a slice of an event: it has no version")
    EVENT_SLICE.require_known(int(begin[1]))
    head_line, _, body = text[begin.end() :].partition("\n")
    try:
        head = json.loads(head_line)
        scope = Scope(str(head["tenantId"]), str(head["communityId"]))
        span = Span(int(head["first"]), None if head["last"] is None else int(head["last"]))
        data = read_object(body).values["data"]
        again = bool(head.get("again"))
        event = Event(str(head["eventId"]), str(head["eventName"]), scope, int(head["logTime"]), data, body)
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
        raise InvalidEventError(
            "not a slice of an event: its first line or its body cannot be read"
        ) from None
    if not (isinstance(data, dict) and _is_usable(event) and _is_within(span)):
        raise InvalidEventError("a slice with an id, a name, a time or a span that no event has")
    return EventSlice(event, span, again=again, has_conditions=int(begin[1]) > 1)


def _is_usable(event: Event) -> bool:
    return (
        is_event_of(event.scope, event_id=event.id, name=event.name, log_time=event.log_time)
        and "\n" not in event.body
        and len(event.body.encode()) <= MAX_BODY_BYTES
    )


def _is_within(span: Span) -> bool:
    last = MAX_SEQUENCE if span.last is None else span.last
    return 0 <= span.first <= last <= MAX_SEQUENCE
