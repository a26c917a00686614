"""The quotas of AWS and of the template, and the rate of events of one endpoint at which each binds."""

from collections.abc import Iterator
from dataclasses import dataclass

from webhooks_cli.costs.batches import Model
from webhooks_cli.costs.event_path import interpolated
from webhooks_cli.costs.figures import BYTES
from webhooks_cli.costs.fill import Fill
from webhooks_cli.costs.load import MONTH_SECONDS, Load
from webhooks_cli.costs.settings import SETTINGS
from webhooks_cli.costs.traffic import traffic_of

RATE = 1000  # events a second, for the quantities that do not grow as the rate
PARTITION_WRITES, PARTITION_READS = 1000, 3000  # units a second
NEW_WRITES, NEW_READS = 4000, 12_000  # of a new table on demand
TABLE_UNITS = 40_000  # of a table, reads and writes each
ACCOUNT_CONCURRENCY = 1000
FANOUT, DISPATCHER, SLOW = 10, 50, 50  # the template's defaults
DEADLINE = 5  # seconds that a dead endpoint takes: the highest ttl
DEAD_SHARE = 0.1
KMS_RATE, SECRETS_RATE = 20_000, 10_000
DYNAMODB = "DynamoDB Developer Guide"
LAMBDA = "Lambda Developer Guide"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """The use of an event with one endpoint that answers in 200 ms."""

    fanout_batches: float  # that one invocation at a time makes of an event's share, in seconds
    dispatcher_batches: float
    log_writes: float  # units, as the following
    log_reads: float
    webhook_reads: float
    head_reads: float
    secret_calls: float
    key_requests: float


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota. `rate`: the events a second at which it binds."""

    rate: float
    name: str
    value: str
    remedy: str
    source: str


def use_of(fill: Fill) -> Use:
    """Return the use of an event in batches of this filling."""
    load, path = Load(events=RATE * MONTH_SECONDS), interpolated()
    model = Model(load=load, path=path, settings=SETTINGS, sizes=BYTES)
    fanned = model.fanout(fill.events, fill.communities)
    sent = model.dispatcher(fill.messages, fanned)
    traffic = traffic_of(load, path, fill=fill)
    shared = (sent.messages, sent.deliveries)
    return Use(
        fanout_batches=fanned.ms / 1000 / fanned.events,
        dispatcher_batches=sent.ms / 1000 / sent.deliveries,
        log_writes=path.write_units.of(*shared) / sent.deliveries,
        log_reads=path.log_read_units.of(*shared) / sent.deliveries,
        webhook_reads=path.webhook_read_units.of(*shared) / sent.deliveries,
        head_reads=path.fanout_read_units.of(fanned.communities, fanned.events) / fanned.events,
        secret_calls=traffic.secret_calls / load.events,
        key_requests=traffic.key_requests / load.events,
    )


def quotas(use: Use) -> Iterator[Quota]:
    """Yield the quotas that bind at some rate."""
    concurrency = use.fanout_batches + use.dispatcher_batches
    dead = DEAD_SHARE * DEADLINE / SETTINGS.batch_messages
    yield Quota(
        SLOW / dead,
        "`SlowDispatcherConcurrency`, a tenth of the endpoints dead, until the breaker opens",
        f"{SLOW}",
        "raise it: 50 for each 1,000 events/s",
        "this service",
    )
    yield Quota(
        DISPATCHER / use.dispatcher_batches,
        "`DispatcherConcurrency`",
        f"{DISPATCHER}",
        "raise it: 25 for each 1,000 deliveries/s",
        "this service",
    )
    yield Quota(FANOUT / use.fanout_batches, "`FanoutConcurrency`", f"{FANOUT}", "raise it", "this service")
    yield from _tables(use)
    yield Quota(
        ACCOUNT_CONCURRENCY / (concurrency + dead),
        "Lambda's concurrency, a tenth of the endpoints dead, until the breaker opens",
        "1,000 of an account and region; less of a new account",
        "Service Quotas",
        f'{LAMBDA}, "Lambda quotas"',
    )
    yield Quota(
        ACCOUNT_CONCURRENCY / concurrency,
        "Lambda's concurrency",
        "1,000 of an account and region",
        "Service Quotas",
        f'{LAMBDA}, "Lambda quotas"',
    )
    yield Quota(
        ACCOUNT_CONCURRENCY / use.dispatcher_batches,
        "batches of one queue at once",
        "1,000 of an event source mapping",
        "another stack ([cells](#past-one-stack))",
        f'{LAMBDA}, "Configuring scaling behavior for SQS event source mappings"',
    )
    yield Quota(
        PARTITION_READS * SETTINGS.batch_messages,
        "one item, the epoch: a read for each batch of events",
        f"{PARTITION_READS:,} units a second of a partition",
        "`BatchingSeconds`: fuller batches; another stack",
        f'{DYNAMODB}, "Best practices for designing and using partition keys effectively"',
    )
    yield Quota(
        KMS_RATE / use.key_requests,
        "KMS requests",
        "20,000 a second, or more by region",
        "none needed: each key is cached",
        'KMS Developer Guide, "Request quotas"',
    )
    yield Quota(
        SECRETS_RATE / use.secret_calls,
        "Secrets Manager, reads",
        "10,000 a second",
        "none needed: each secret is cached",
        "AWS, What's New, 2025-03-04",
    )


def _tables(use: Use) -> Iterator[Quota]:
    subscriptions = use.webhook_reads + use.head_reads
    new = "twice the highest rate of before in 30 minutes; a warm throughput makes it ready"
    for name, units, fresh in (
        ("deliveries table, writes", use.log_writes, NEW_WRITES),
        ("deliveries table, reads", use.log_reads, NEW_READS),
        ("subscriptions table, reads", subscriptions, NEW_READS),
    ):
        yield Quota(
            fresh / units,
            f"{name}, new",
            f"{fresh:,} units a second",
            new,
            f'{DYNAMODB}, "DynamoDB on-demand capacity mode"',
        )
        yield Quota(
            TABLE_UNITS / units,
            name,
            f"{TABLE_UNITS:,} units a second",
            "Service Quotas",
            f'{DYNAMODB}, "Quotas in Amazon DynamoDB"',
        )
