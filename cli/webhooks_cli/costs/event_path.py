"""The consumption of an invocation of any filling, interpolated between the measured shapes.

A quantity has a part for the invocation itself, one for each message, and one for each event or delivery in
it. Three measured shapes give the three parts, and the quantity of a measured shape is what was measured.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from webhooks_cli.costs.figures import MEASURED, MeasuredFigures

# Messages, events or deliveries, and the measured quantity of an invocation.
Point = tuple[float, float, float]
SAME = 1e-9  # of a determinant: below, the shapes are no three different ones


@dataclass(frozen=True, slots=True)
class Parts:
    """A quantity of an invocation."""

    invocation: float
    message: float
    each: float

    def of(self, messages: float, each: float) -> float:
        """Return the quantity of an invocation with so many messages, and events or deliveries."""
        return max(0.0, self.invocation + self.message * messages + self.each * each)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPath:
    """The consumption of fan-out by communities and events, of the dispatcher by messages and deliveries."""

    fanout_read_units: Parts
    fanout_write_units: Parts
    fanout_more_calls: Parts
    fanout_cpu_ms: Parts
    fanout_further_match_cpu_ms: Parts
    fanout_log_bytes: Parts
    calls: Parts
    webhook_read_units: Parts
    log_read_units: Parts
    write_units: Parts
    cpu_ms: Parts
    log_bytes: Parts
    log_items: Parts
    log_item_bytes: Parts
    message_bytes: Parts


def interpolated(measured: Mapping[str, MeasuredFigures] = MEASURED) -> EventPath:
    """Return the event path that gives each measured shape what was measured of it."""
    shapes = list(measured.values())

    def fanout(of: Callable[[MeasuredFigures], float]) -> Parts:
        """Of an event's share."""
        return _solved([_fanout_point(each, of(each)) for each in shapes])

    def dispatcher(of: Callable[[MeasuredFigures], float]) -> Parts:
        """Of a delivery's share."""
        return _solved([_dispatcher_point(each, of(each)) for each in shapes])

    return EventPath(
        fanout_read_units=fanout(lambda each: each.fanout_read_units_per_event),
        fanout_write_units=fanout(lambda each: each.fanout_write_units_per_event),
        fanout_more_calls=fanout(lambda each: each.fanout_more_calls_per_batch / each.shape.events_per_batch),
        fanout_cpu_ms=fanout(lambda each: each.fanout_cpu_ms_per_event),
        fanout_further_match_cpu_ms=fanout(lambda each: each.fanout_cpu_ms_per_further_match),
        fanout_log_bytes=fanout(lambda each: each.log_bytes_per_event),
        calls=dispatcher(lambda each: each.dispatcher_calls_per_batch / each.shape.deliveries_per_batch),
        webhook_read_units=dispatcher(
            lambda each: each.read_units_per_message / each.shape.deliveries_per_message
        ),
        log_read_units=dispatcher(lambda each: each.read_units_per_delivery),
        write_units=dispatcher(lambda each: each.write_units_per_delivery),
        cpu_ms=dispatcher(lambda each: each.cpu_ms_per_delivery),
        log_bytes=dispatcher(lambda each: each.log_bytes_per_delivery),
        log_items=dispatcher(lambda each: each.log_items_per_delivery),
        log_item_bytes=dispatcher(lambda each: each.log_item_bytes_per_delivery),
        message_bytes=dispatcher(lambda each: each.message_bytes_per_delivery),
    )


def _fanout_point(figures: MeasuredFigures, share: float) -> Point:
    shape = figures.shape
    return shape.communities_per_batch, shape.events_per_batch, share * shape.events_per_batch


def _dispatcher_point(figures: MeasuredFigures, share: float) -> Point:
    shape = figures.shape
    return shape.messages_per_batch, shape.deliveries_per_batch, share * shape.deliveries_per_batch


def _solved(points: Sequence[Point]) -> Parts:
    """Solve the three equations by Cramer's rule."""
    columns: list[list[float]] = [
        [1.0] * len(points),
        *([float(n) for n in axis] for axis in zip(*points, strict=True)),
    ]
    *left, right = columns
    whole = _determinant(left)
    if abs(whole) < SAME:
        raise ValueError("three different shapes are needed")
    return Parts(*(_determinant([*left[:at], right, *left[at + 1 :]]) / whole for at in range(3)))


def _determinant(columns: Sequence[Sequence[float]]) -> float:
    (a, b, c), (d, e, f), (g, h, i) = columns
    return a * (e * i - f * h) - d * (b * i - c * h) + g * (b * f - c * e)
