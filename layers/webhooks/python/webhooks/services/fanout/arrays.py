"""An array of events, fanned out group by group within its share of the time; the rest continues as messages.

An array that was received before is not worked on but split: an event that ends the process is alone in the
end, and takes no other with it. An array fails as a whole: it comes again, and the dispatcher recognises the
deliveries that were sent before. Its invalid events are dead-lettered after all else, so that this does not
dead-letter them again.
"""

from webhooks.domain.errors import UnavailableError
from webhooks.domain.event_array import ArrayPart, EventArray, parse_array
from webhooks.domain.event_slice import MAX_PARTS
from webhooks.ports import EventsQueue, TimeLeft
from webhooks.services.fanout.alone import FanoutAlone
from webhooks.services.fanout.outcomes import failure
from webhooks.services.fanout.stages import (
    Costly,
    EventMessage,
    Failed,
    FannedOut,
    FannedOutArray,
    Rejected,
    Result,
)
from webhooks.services.fanout.together import FanoutTogether

GROUP = 100  # events that are fanned out together
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

    def fan_out(self, message: EventMessage, *, stop_at: float) -> Result:
        """Fan an array out until `stop_at` seconds are left, one event of it at least."""
        try:
            array = parse_array(message.text, message_id=message.id, sent_at=message.sent_at)
            return self._fan_out(message, array, stop_at=stop_at)
        except Exception as error:  # noqa: BLE001 - the boundary of one message
            return failure(message, error)

    def _fan_out(self, message: EventMessage, array: EventArray, *, stop_at: float) -> Result:
        new, costly = list(array.texts), list[int]()
        results: list[FannedOut | Rejected] = []
        if message.receives > 1 and len(new) > 1:
            parts = array.parts(new, size=-(-len(new) // MAX_PARTS))
            if parts:
                self._continue(parts)
                return FannedOutArray(message, ())
        while new or costly:
            if results and self._is_over(results, stop_at):
                parts = array.parts(sorted(new + costly), size=len(results))
                if parts:
                    self._continue(parts)
                    break
            if new:
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
        results = self._together.fan_out([_element(message, array, at) for at in positions])
        return {elements[each.message.id]: each for each in results}

    def _is_over(self, results: list[FannedOut | Rejected], stop_at: float) -> bool:
        rejected = sum(isinstance(each, Rejected) for each in results)
        return rejected >= MAX_REJECTED or self._time_left() < stop_at

    def _continue(self, parts: list[ArrayPart]) -> None:
        if not self._events.send(parts):
            raise UnavailableError("the events queue did not take the rest of an array")


def _element(message: EventMessage, array: EventArray, position: int) -> EventMessage:
    """Return an event of an array as a message. One alone was received as often as its array."""
    receives = message.receives if len(array.texts) == 1 else 1
    return EventMessage(array.event_message_id(position), array.texts[position], array.sent_at, receives)
