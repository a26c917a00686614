"""From a batch of events to one delivery for each webhook that wants one.

Small events that few webhooks want are fanned out together, so that their deliveries share packs. After them,
each within its share of the time, come arrays, large, wide and costly events and those that were received
before. A message is acknowledged once each of its deliveries is on the deliveries queue, or in a slice or the
rest of an array on the events queue, or once its invalid events are in the dead-letter queue with the reason.
"""

import logging
import math
from collections.abc import Mapping, Sequence

from webhooks.domain.errors import UnavailableError
from webhooks.domain.event_array import is_array
from webhooks.domain.matching import MAX_VISITS
from webhooks.domain.poison import least_received_first
from webhooks.ports import (
    Clock,
    EventsDlq,
    EventsQueue,
    FanoutReader,
    FastLane,
    Report,
    Rng,
    SeenEvents,
    SubscriptionIndex,
    TimeLeft,
    unreported,
)
from webhooks.services.fanout.alone import FanoutAlone
from webhooks.services.fanout.arrays import FanoutArray, closed_results, open_small, opened_messages
from webhooks.services.fanout.beginning import Beginning
from webhooks.services.fanout.counts import FanoutCounts, fanout_counts
from webhooks.services.fanout.listeners import Listeners
from webhooks.services.fanout.marks import EventMarks
from webhooks.services.fanout.stages import (
    STOP_BEFORE,
    BegunArray,
    Costly,
    EventMessage,
    Failed,
    FannedOutArray,
    Rejected,
    Result,
)
from webhooks.services.fanout.together import SMALL_VISITS, FanoutTogether

SLICE = 500  # listeners of an event: more continue as slices

logger = logging.getLogger(__name__)


class Fanout:
    """Fans events out. `time_left`: of the running invocation; `slice_size`: listeners taken at once;
    `visits`: values of an event that a query may look at, `small_visits` where events are matched together;
    `report` takes a batch's numbers.
    """

    def __init__(
        self,
        *,
        index: SubscriptionIndex,
        seen: SeenEvents,
        reader: FanoutReader,
        lane: FastLane,
        events: EventsQueue,
        events_dlq: EventsDlq,
        rng: Rng,
        clock: Clock,
        time_left: TimeLeft,
        report: Report[FanoutCounts] = unreported,
        slice_size: int = SLICE,
        small_visits: int = SMALL_VISITS,
        visits: int = MAX_VISITS,
    ) -> None:
        listeners, marks = Listeners(index, limit=slice_size, clock=clock), EventMarks(seen)
        beginning = Beginning(reader, listeners, marks)
        self._together = FanoutTogether(
            listeners,
            beginning=beginning,
            marks=marks,
            lane=lane,
            time_left=time_left,
            slice_size=slice_size,
            visits=small_visits,
        )
        self._alone = FanoutAlone(
            listeners,
            beginning=beginning,
            marks=marks,
            lane=lane,
            events=events,
            time_left=time_left,
            slice_size=slice_size,
            visits=visits,
        )
        self._array = FanoutArray(
            together=self._together, alone=self._alone, events=events, time_left=time_left
        )
        self._events = events
        self._events_dlq = events_dlq
        self._rng = rng
        self._time_left = time_left
        self._report = report

    def fan_out(self, messages: Sequence[EventMessage]) -> set[str]:
        """Fan a batch out; returns the ids of the messages that must come again."""
        opened = open_small(messages)
        together = self._together.fan_out(list(opened_messages(messages, opened)))
        results: list[Result] = []
        costly, begun = list[EventMessage](), dict[str, BegunArray]()
        for each in closed_results(messages, opened, together):
            if isinstance(each, Costly | BegunArray):
                costly.append(each.message)
                if isinstance(each, BegunArray):
                    begun[each.message.id] = each
            else:
                results.append(self._dead_letter(each))
        results += self._fan_out_alone(self._in_turn(costly), begun, done=_acknowledged(results))
        self._report(fanout_counts(results))
        return {each.message.id for each in results if isinstance(each, Failed)}

    def _in_turn(self, messages: Sequence[EventMessage]) -> list[EventMessage]:
        """Return the smallest first, and last the messages that were received before: they may be poison."""
        new = [message for message in messages if message.receives <= 1]
        repeated = [message for message in messages if message.receives > 1]
        return [*sorted(new, key=lambda each: len(each.text)), *least_received_first(repeated, self._rng)]

    def _fan_out_alone(
        self,
        messages: Sequence[EventMessage],
        begun: Mapping[str, BegunArray],
        *,
        done: Sequence[EventMessage],
    ) -> list[Result]:
        """Fan out one message after the other. Those that are `done` are deleted before each: a message
        that ends the process then repeats none of them.
        """
        results: list[Result] = []
        for position, message in enumerate(messages):
            left, array = self._time_left(), begun.get(message.id)
            if left <= STOP_BEFORE and not (array and array.results):  # with results, its rest is sent on
                logger.warning("event.not_begun", extra={"message_id": message.id})
                results.append(Failed(message))
                continue
            if done:
                self._events.delete([each.receipt for each in done])
            share = (left - STOP_BEFORE) / (len(messages) - position)
            stop_at = left - share if share > 0 else math.inf
            if is_array(message.text):
                result = self._array.fan_out(message, stop_at=stop_at, begun=array)
            else:
                result = self._alone.fan_out(message, stop_at=stop_at)
            result = self._dead_letter(result)
            results.append(result)
            done = _acknowledged([result])
        return results

    def _dead_letter(self, result: Result) -> Result:
        """Dead-letter a rejected message; where its queue does not take it, the message comes again."""
        if isinstance(result, FannedOutArray):
            return self._dead_letter_events(result)
        if not isinstance(result, Rejected):
            return result
        try:
            self._events_dlq.send_to_dlq(result.message.text, result.reason)
        except UnavailableError as error:
            extra = {"message_id": result.message.id, "reason": str(error)}
            logger.warning("event.not_dead_lettered", extra=extra)
            return Failed(result.message)
        return result

    def _dead_letter_events(self, array: FannedOutArray) -> Result:
        """Dead-letter the rejected events of an array, each as a message of its own."""
        rejected = [(each.message.text, each.reason) for each in array.results if isinstance(each, Rejected)]
        reason = "the queue did not take all events of an array"
        try:
            if not rejected or self._events_dlq.send_all_to_dlq(rejected):
                return array
        except UnavailableError as error:
            reason = str(error)
        extra = {"message_id": array.message.id, "reason": reason}
        logger.warning("event.not_dead_lettered", extra=extra)
        return Failed(array.message)


def _acknowledged(results: Sequence[Result]) -> list[EventMessage]:
    return [each.message for each in results if not isinstance(each, Failed)]
