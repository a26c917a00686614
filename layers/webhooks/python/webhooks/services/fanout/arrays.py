"""An array of events, fanned out group by group within its share of the time; the rest continues as messages.

The events of small arrays are fanned out together with other messages of their batch before that. What they
left is done in its turn.

An array that was received before is not worked on but split: an event that ends the process is alone in the
end, and takes no other with it. An array fails as a whole: it comes again, and the dispatcher recognises the
deliveries that were sent before. Its invalid events are dead-lettered after all else, so that this does not
dead-letter them again.
"""

from collections.abc import Iterator, Mapping, Sequence

from webhooks.domain.errors import InvalidEventError, UnavailableError
from webhooks.domain.event_array import ArrayPart, EventArray, is_array, parse_array
from webhooks.domain.event_slice import MAX_PARTS
from webhooks.ports import EventsQueue, TimeLeft
from webhooks.services.fanout.alone import FanoutAlone
from webhooks.services.fanout.outcomes import failure
from webhooks.services.fanout.stages import (
    BegunArray,
    Costly,
    EventMessage,
    Failed,
    FannedOut,
    FannedOutArray,
    Rejected,
    Result,
)
from webhooks.services.fanout.together import SMALL_TEXT, FanoutTogether

OPENED = 100  # events of small arrays of a batch, which are fanned out together with its other messages
GROUP = 50  # events of an array that are fanned out together, between two looks at the time
MAX_REJECTED = 1000  # dead-lettered by one invocation: 2 seconds


class FanoutArray:
    """Fans out arrays. `time_left`: of the running invocation."""

    def __init__(
        self, *, together: FanoutTogether, alone: FanoutAlone, events: EventsQueue, time_left: TimeLeft
    ) -> None:
        self._together = together
        self._alone = alone
        self._events = events
        self._time_left = time_left

    def fan_out(self, message: EventMessage, *, stop_at: float, begun: BegunArray | None = None) -> Result:
        """Fan an array out until `stop_at` seconds are left, one event of it at least."""
        try:
            if begun is not None:
                return self._fan_out(begun, [], stop_at=stop_at)
            array = parse_array(message.text, message_id=message.id, sent_at=message.sent_at)
            positions = list(array.texts)
            if message.receives > 1 and len(positions) > 1:
                parts = array.parts(positions, size=-(-len(positions) // MAX_PARTS))
                if parts:
                    self._continue(parts)
                    return FannedOutArray(message, ())
            return self._fan_out(BegunArray(message, array, (), ()), positions, stop_at=stop_at)
        except Exception as error:  # noqa: BLE001 - the boundary of one message
            return failure(message, error)

    def _fan_out(self, begun: BegunArray, new: list[int], *, stop_at: float) -> Result:
        message, array, costly = begun.message, begun.array, list(begun.costly)
        results: list[FannedOut | Rejected] = list(begun.results)
        while new or costly:
            is_over = self._is_over(results, stop_at)
            if results and is_over:
                parts = array.parts(sorted(new + costly), size=len(results))
                if parts:
                    self._continue(parts)
                    break
            if new and not (costly and is_over):  # time that had no result yet is for one event alone
                group, new = new[:GROUP], new[GROUP:]
                ended = self._fan_out_together(message, array, group)
            else:
                ended = {costly[0]: self._alone.fan_out(_element(message, array, costly[0]), stop_at=stop_at)}
                costly = costly[1:]
            for position, result in ended.items():
                if isinstance(result, Costly):
                    costly.append(position)
                elif isinstance(result, FannedOut | Rejected):
                    results.append(result)
                else:
                    return Failed(message)
        return FannedOutArray(message, results)

    def _fan_out_together(
        self, message: EventMessage, array: EventArray, positions: list[int]
    ) -> dict[int, Result | Costly]:
        elements = {array.event_message_id(at): at for at in positions}
        some = [_element(message, array, at) for at in positions]
        nested = [_nested(each) for each in some if is_array(each.text)]
        results = self._together.fan_out([each for each in some if not is_array(each.text)])
        return {elements[each.message.id]: each for each in (*results, *nested)}

    def _is_over(self, results: list[FannedOut | Rejected], stop_at: float) -> bool:
        rejected = sum(isinstance(each, Rejected) for each in results)
        return rejected >= MAX_REJECTED or self._time_left() < stop_at

    def _continue(self, parts: list[ArrayPart]) -> None:
        if not self._events.send(parts):
            raise UnavailableError("the events queue did not take the rest of an array")


def open_small(messages: Sequence[EventMessage]) -> dict[str, EventArray]:
    """Read arrays, by their messages' ids, that fit into one group of events together."""
    opened: dict[str, EventArray] = {}
    room = OPENED
    for message in messages:
        if message.receives > 1 or len(message.text) > SMALL_TEXT or not is_array(message.text):
            continue
        try:
            array = parse_array(message.text, message_id=message.id, sent_at=message.sent_at)
        except Exception:  # noqa: BLE001, S112 - it is read again, and fails, in its turn
            continue
        if len(array.texts) <= room:
            opened[message.id] = array
            room -= len(array.texts)
    return opened


def opened_messages(
    messages: Sequence[EventMessage], opened: Mapping[str, EventArray]
) -> Iterator[EventMessage]:
    """Yield each message, and each event of the opened arrays in place of their messages."""
    for message in messages:
        if (array := opened.get(message.id)) is None:
            yield message
        else:
            elements = (_element(message, array, position) for position in array.texts)
            yield from (each for each in elements if not is_array(each.text))


def closed_results(
    messages: Sequence[EventMessage],
    opened: Mapping[str, EventArray],
    results: Sequence[Result | Costly],
) -> Iterator[Result | Costly | BegunArray]:
    """Yield the result of each message: that of an opened array consists of those of its events."""
    ended = {each.message.id: each for each in results}
    for message in messages:
        if (array := opened.get(message.id)) is None:
            yield ended[message.id]
            continue
        elements = {position: _element(message, array, position) for position in array.texts}
        parts = {
            position: _nested(each) if is_array(each.text) else ended[each.id]
            for position, each in elements.items()
        }
        good = [each for each in parts.values() if isinstance(each, FannedOut | Rejected)]
        costly = [position for position, each in parts.items() if isinstance(each, Costly)]
        if len(good) + len(costly) < len(parts):
            yield Failed(message)
        elif costly:
            yield BegunArray(message, array, good, costly)
        else:
            yield FannedOutArray(message, good)


def _nested(element: EventMessage) -> Result:
    return failure(element, InvalidEventError("an event in an array must be an object, not an array again"))


def _element(message: EventMessage, array: EventArray, position: int) -> EventMessage:
    """Return an event of an array as a message. One alone was received as often as its array."""
    receives = message.receives if len(array.texts) == 1 else 1
    return EventMessage(array.event_message_id(position), array.texts[position], array.sent_at, receives)
