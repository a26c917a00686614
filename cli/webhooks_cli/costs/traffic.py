"""The quantities that AWS counts of a month's load: invocations, requests, units, calls, bytes."""

from dataclasses import dataclass
from math import ceil

from webhooks_cli.costs.figures import BYTES, Bytes, MeasuredFigures
from webhooks_cli.costs.settings import SETTINGS, Settings

MONTH_SECONDS = 30 * 86_400
REQUEST_BYTES = 64 * 1024  # SQS bills each of them as one request
CALL_MESSAGES, CALL_BYTES = 10, 1024 * 1024  # SendMessageBatch takes no more
INVOCATION_BYTES = 6_000_000  # Lambda's limit of an invocation's payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A month. `endpoints`: webhooks that an event matches; `ms`: an endpoint's time; `size`: a body's bytes;
    `credentials`: webhooks with a credential; `log_days`: AttemptLogDays.
    """

    events: int
    endpoints: int = 1
    ms: int = 200
    size: int = 2048
    credentials: int = 0
    log_days: int = 30


@dataclass(frozen=True, slots=True)
class Invocations:
    """Invocations of one kind in a month; each is billed `ms`."""

    count: float
    ms: int

    @property
    def environments(self) -> int:
        """The number that run at once where events come evenly: Little's law, rounded up."""
        return ceil(self.count * self.ms / 1000 / MONTH_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The quantities of a month."""

    deliveries: int
    fanout: Invocations
    dispatcher: Invocations
    deferrals: Invocations  # of the fast lane, whose batch goes on to the slow lane
    producer_requests: float
    queue_requests: float
    empty_receives: float
    write_units: float
    read_units: float
    log_table_bytes: float
    secret_calls: float
    key_requests: float
    log_bytes: float
    egress_bytes: float

    @property
    def invocations(self) -> float:
        return self.fanout.count + self.dispatcher.count + self.deferrals.count


def traffic_of(
    load: Load, measured: MeasuredFigures, *, settings: Settings = SETTINGS, sizes: Bytes = BYTES
) -> Traffic:
    """Count a month in which every delivery succeeds at its first attempt and events come evenly."""
    shape = measured.shape
    event_bytes = load.size + sizes.event_more
    events_each = _fitting(shape.events_per_batch, event_bytes)
    pack_room = max(1, settings.pack_bytes // (load.size + settings.description_bytes))
    messages_each = load.endpoints * ceil(events_each / min(shape.deliveries_per_message, pack_room))
    deliveries = load.events * load.endpoints
    messages = load.events / events_each * messages_each
    pack = deliveries / messages if messages else 0  # deliveries in a message
    message_bytes = pack * (load.size + measured.message_bytes_per_delivery)
    batch_messages = _fitting(shape.messages_per_batch, message_bytes)
    batch = batch_messages * pack

    sends = _sends(messages_each, message_bytes)
    matches_cpu = max(load.endpoints - 1, 0) * measured.fanout_cpu_ms_per_further_match
    fanout = Invocations(
        load.events / events_each,
        _billed_ms(
            0,
            calls=1 + sends.calls,
            cpu_ms=events_each * (measured.fanout_cpu_ms_per_event + matches_cpu),
            settings=settings,
        ),
    )
    batches = deliveries / batch if batch else 0
    calls, cpu_ms = measured.dispatcher_calls_per_batch, batch * measured.cpu_ms_per_delivery
    dispatcher = Invocations(batches, _billed_ms(load.ms, calls=calls, cpu_ms=cpu_ms, settings=settings))
    slow = load.ms >= settings.fast_lane_ms
    deferrals = Invocations(
        batches if slow else 0, _billed_ms(0, calls=calls, cpu_ms=cpu_ms, settings=settings)
    )

    passes = 2 if slow else 1  # by the fast lane, and by the slow one
    receives = _requests(batch_messages * message_bytes) + 1  # and a deletion of the batch
    hop = _sends(batch_messages, message_bytes).requests if slow else 0
    secret_calls = sum(
        keys * _refreshes(dispatcher, seconds)
        for keys, seconds in ((2, settings.keys_seconds), (1, settings.master_seconds))
    )
    used_queues = (1 + passes) if load.events else 0
    table_keys = _refreshes(fanout, settings.table_key_seconds) + 2 * _refreshes(
        dispatcher, settings.table_key_seconds
    )
    return Traffic(
        deliveries=deliveries,
        fanout=fanout,
        dispatcher=dispatcher,
        deferrals=deferrals,
        producer_requests=load.events * _requests(event_bytes),
        queue_requests=fanout.count * (_requests(events_each * event_bytes) + 1 + sends.requests)
        + batches * (passes * receives + hop),
        empty_receives=settings.queues * settings.pollers * MONTH_SECONDS / settings.poll_seconds,
        write_units=deliveries * measured.write_units_per_delivery,
        read_units=load.events * measured.fanout_read_units_per_event
        + passes
        * (messages * measured.read_units_per_message + deliveries * measured.read_units_per_delivery),
        log_table_bytes=deliveries
        * (measured.log_item_bytes_per_delivery + sizes.table_item_more)
        * (load.log_days * 86_400 / MONTH_SECONDS),
        secret_calls=secret_calls,
        # SQS, for each queue: a new data key and its check for the sender, a decryption for the receiver.
        key_requests=used_queues * 3 * MONTH_SECONDS / settings.data_key_seconds + table_keys + secret_calls,
        log_bytes=load.events * measured.log_bytes_per_event + deliveries * measured.log_bytes_per_delivery,
        egress_bytes=deliveries * (load.size + sizes.request_more),
    )


@dataclass(frozen=True, slots=True)
class Sends:
    """The sends of an invocation: calls, and the requests that SQS bills for them."""

    calls: int
    requests: int


def _sends(messages: float, message_bytes: float) -> Sends:
    calls = max(ceil(messages / CALL_MESSAGES), ceil(messages * message_bytes / CALL_BYTES))
    return Sends(calls, max(calls, ceil(messages * message_bytes / REQUEST_BYTES)))


def _requests(payload: float) -> int:
    return max(1, ceil(payload / REQUEST_BYTES))


def _fitting(messages: int, message_bytes: float) -> int:
    """Return the number of messages that fit into an invocation."""
    return max(1, min(messages, int(INVOCATION_BYTES // max(1, message_bytes))))


def _billed_ms(endpoint_ms: float, *, calls: int, cpu_ms: float, settings: Settings) -> int:
    """Return T(B) = the slowest endpoint's time + overhead + B * c / (memory / 1,769 MB)."""
    return ceil(endpoint_ms + calls * settings.call_ms + cpu_ms / (settings.memory_mb / settings.vcpu_mb))


def _refreshes(invocations: Invocations, seconds: int) -> float:
    """Return the reads in a month of a value that each environment keeps for so many seconds."""
    if not invocations.count:
        return 0
    apart = MONTH_SECONDS * invocations.environments / invocations.count  # seconds, in one environment
    return invocations.environments * MONTH_SECONDS / (apart * ceil(seconds / apart))
