"""The quantities that AWS counts of a month's load: invocations, requests, units, calls, bytes."""

from dataclasses import dataclass
from math import ceil

from webhooks_cli.costs.batches import DispatcherBatch, FanoutBatch, Model, requests_of, sends_of
from webhooks_cli.costs.event_path import EventPath, interpolated
from webhooks_cli.costs.figures import API_CALL, BYTES, Bytes
from webhooks_cli.costs.fill import Fill, filled
from webhooks_cli.costs.load import MONTH_SECONDS, Load
from webhooks_cli.costs.settings import SETTINGS, Settings


@dataclass(frozen=True, slots=True)
class Invocations:
    """Invocations of one kind in a month; each is billed `ms`. `seconds`: those in which they come."""

    count: float
    ms: int
    memory_mb: int
    seconds: float = MONTH_SECONDS

    @property
    def environments(self) -> int:
        """The number that run at once where events come evenly: Little's law, rounded up."""
        return ceil(round(self.count * self.ms / 1000 / self.seconds, 9))

    @property
    def gb_seconds(self) -> float:
        return self.count * self.ms / 1000 * self.memory_mb / 1024

    def refreshes(self, every: int) -> float:
        """Return the reads in a month of a value that each environment keeps for so many seconds."""
        if not self.count:
            return 0
        apart = self.seconds * self.environments / self.count  # seconds, in one environment
        return self.environments * self.seconds / (apart * ceil(every / apart))


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The quantities of a month, and the filling that they come from."""

    fill: Fill
    deliveries: int
    fanout: Invocations
    dispatcher: Invocations
    deferrals: Invocations  # of the fast lane, whose batch goes on to the slow lane
    api: Invocations
    init_gb_seconds: float
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
        """All of them, without those of the API."""
        return self.fanout.count + self.dispatcher.count + self.deferrals.count


def traffic_of(
    load: Load,
    path: EventPath | None = None,
    *,
    fill: Fill | None = None,
    settings: Settings = SETTINGS,
    sizes: Bytes = BYTES,
) -> Traffic:
    """Count a month in which every delivery succeeds at its first attempt and events come evenly.

    `fill`: of the batches; without it, that of the load's rate.
    """
    path = path or interpolated()
    model = Model(load=load, path=path, settings=settings, sizes=sizes)
    fill = fill or filled(model)
    fanned = model.fanout(fill.events, fill.communities)
    dispatched = model.dispatcher(fill.messages, fanned)
    deliveries = load.events * load.endpoints
    fanout = Invocations(load.events / fanned.events, fanned.ms, settings.memory_mb, load.seconds)
    batches = deliveries / dispatched.deliveries
    memory = settings.dispatcher_memory_mb
    dispatcher = Invocations(batches, dispatched.ms, memory, load.seconds)
    slow = load.ms >= settings.fast_lane_ms
    deferrals = Invocations(batches if slow else 0, dispatched.deferral_ms, memory, load.seconds)
    api = Invocations(load.api_calls, API_CALL.ms, settings.memory_mb)
    passes = 2 if slow else 1  # by the fast lane, and by the slow one

    log_reads = passes * path.log_read_units.of(dispatched.messages, dispatched.deliveries)
    webhook_reads = path.webhook_read_units.of(dispatched.messages, dispatched.deliveries)
    # The slow lane reads each webhook.
    webhook_reads *= passes - 1 + _share_read(load, fanned, dispatcher=dispatcher, settings=settings)
    secret_calls = sum(
        keys * dispatcher.refreshes(seconds)
        for keys, seconds in ((2, settings.keys_seconds), (1, settings.master_seconds))
    )
    if settings.has_one_seed:  # one read for all that is due
        secret_calls = dispatcher.refreshes(min(settings.keys_seconds, settings.master_seconds))
    credential_reads = _credential_reads(load, dispatcher=dispatcher, settings=settings)
    if not settings.has_credentials_in_table:
        secret_calls += credential_reads
    return Traffic(
        fill=Fill(fanned.events, fanned.communities, dispatched.messages),
        deliveries=deliveries,
        fanout=fanout,
        dispatcher=dispatcher,
        deferrals=deferrals,
        api=api,
        init_gb_seconds=sum(_init_gb_seconds(each, settings) for each in (fanout, dispatcher, api)),
        producer_requests=load.events * requests_of(load.size + sizes.event_more),
        queue_requests=_queue_requests(model, fanned, dispatched, fanouts=fanout.count, batches=batches),
        empty_receives=_pollers(settings) * MONTH_SECONDS / settings.poll_seconds,
        write_units=fanout.count * path.fanout_write_units.of(fanned.communities, fanned.events)
        + batches * path.write_units.of(dispatched.messages, dispatched.deliveries),
        read_units=fanout.count * path.fanout_read_units.of(fanned.communities, fanned.events)
        + batches * (webhook_reads + log_reads)
        + load.api_calls * API_CALL.read_units,
        log_table_bytes=batches
        * (
            path.log_item_bytes.of(dispatched.messages, dispatched.deliveries)
            + path.log_items.of(dispatched.messages, dispatched.deliveries) * sizes.table_item_more
        )
        * (load.log_days * 86_400 / MONTH_SECONDS),
        secret_calls=secret_calls,
        key_requests=_key_requests(
            load, fanout=fanout, dispatcher=dispatcher, reads=secret_calls, settings=settings
        )
        + (credential_reads if settings.has_credentials_in_table else 0),
        log_bytes=fanout.count * path.fanout_log_bytes.of(fanned.communities, fanned.events)
        + batches * path.log_bytes.of(dispatched.messages, dispatched.deliveries)
        + load.api_calls * API_CALL.log_bytes,
        egress_bytes=deliveries * (load.size + sizes.request_more),
    )


def _pollers(settings: Settings) -> int:
    """Return the pollers of all queues while nothing comes."""
    limited = settings.queues if settings.has_maximum_concurrency else settings.limited_queues
    return limited * settings.pollers + (settings.queues - limited) * settings.quiet_pollers


def _queue_requests(
    model: Model, fanned: FanoutBatch, dispatched: DispatcherBatch, *, fanouts: float, batches: float
) -> float:
    slow = model.load.ms >= model.settings.fast_lane_ms
    event_bytes = model.load.size + model.sizes.event_more
    # A receive, and a deletion of the batch.
    events = requests_of(fanned.events * event_bytes) + 1 + fanned.sends.requests
    receives = requests_of(dispatched.messages * fanned.message_bytes) + 1
    hop = sends_of(dispatched.messages, fanned.message_bytes).requests if slow else 0
    return fanouts * events + batches * ((2 if slow else 1) * receives + hop)


def _share_read(load: Load, fanned: FanoutBatch, *, dispatcher: Invocations, settings: Settings) -> float:
    """Return the share of the messages whose webhook is read: each environment keeps it for a time."""
    if not settings.webhook_cache_seconds or not dispatcher.count:
        return 1
    messages = load.rate * fanned.messages / fanned.events  # a second
    to_one = messages / load.webhooks / dispatcher.environments
    return 1 / (1 + to_one * settings.webhook_cache_seconds)


def _credential_reads(load: Load, *, dispatcher: Invocations, settings: Settings) -> float:
    """Return the reads of credentials: each environment keeps one for a time."""
    deliveries = load.events * load.endpoints * load.credentials / max(load.webhooks, load.credentials)
    kept = dispatcher.environments * load.credentials * load.seconds / settings.credential_seconds
    return min(deliveries, kept)


def _key_requests(
    load: Load, *, fanout: Invocations, dispatcher: Invocations, reads: float, settings: Settings
) -> float:
    if not settings.has_own_key:
        return 0
    queues = 0
    if load.events:
        queues = 3 if load.ms >= settings.fast_lane_ms else 2
    every = settings.table_key_seconds
    tables = fanout.refreshes(every) + 2 * dispatcher.refreshes(every)
    # SQS, for each queue: a new data key and its check for the sender, a decryption for the receiver.
    return queues * 3 * load.seconds / settings.data_key_seconds + tables + reads


def _init_gb_seconds(invocations: Invocations, settings: Settings) -> float:
    """Return the time of new containers: Lambda replaces each one from time to time."""
    starts = min(
        invocations.count, invocations.environments * invocations.seconds / settings.container_seconds
    )
    return starts * settings.init_ms / 1000 * invocations.memory_mb / 1024
