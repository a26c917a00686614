"""The options of `webhooks cost`."""

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable

from webhooks_cli.costs.bill import WATCHES
from webhooks_cli.costs.effects import CACHE_SECONDS
from webhooks_cli.costs.load import Load
from webhooks_cli.costs.settings import SETTINGS, Settings

EVENTS_MAX, ENDPOINTS_MAX, TENANTS_MAX = 10**12, 10_000, 10_000_000
MS_MAX = 5000  # the highest ttl of a webhook
SIZE_MAX = 1024 * 1024  # a message of SQS
DAYS_MAX = 3650
CREDENTIALS_MAX = 10_000_000
BATCHING_MAX, CACHE_MAX = 5, 60  # of the parameters
CONCURRENCY_MAX = 1000
KEY_CACHES = (30, 300)
MEMORIES = (256, 512, 1024, 1769)
POWERS = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
NUMBER = re.compile(r"([0-9]{1,16})([kMG]?)", re.ASCII)


def add_load(parser: ArgumentParser) -> None:
    """Add the options that describe a month's events."""
    load = Load(events=0)
    options = (
        ("--endpoints", 0, ENDPOINTS_MAX, load.endpoints, "M", "webhooks that each event matches"),
        ("--tenants", 1, TENANTS_MAX, load.tenants, "N", "tenants that the events spread over, evenly"),
        ("--ms", 1, MS_MAX, load.ms, "MS", "an endpoint's time"),
        ("--size", 1, SIZE_MAX, load.size, "BYTES", "a callback's body"),
        ("--credentials", 0, CREDENTIALS_MAX, load.credentials, "N", "webhooks with a credential"),
        ("--log-days", 1, DAYS_MAX, load.log_days, "DAYS", "AttemptLogDays"),
        ("--api-calls", 0, EVENTS_MAX, load.api_calls, "N", "calls of the API in a month"),
    )
    parser.add_argument(
        "--events",
        type=_number(0, EVENTS_MAX),
        required=True,
        metavar="N",
        help="events in a month: 10M, 500k",
    )
    for name, low, high, default, metavar, text in options:
        parser.add_argument(
            name,
            type=_number(low, high),
            default=default,
            metavar=metavar,
            help=f"{text} (default: %(default)s)",
        )
    parser.add_argument(
        "--sends", action="store_true", help="include the producers' sends, one for each event"
    )
    parser.add_argument(
        "--alarms",
        choices=list(WATCHES),
        help="include metrics, and what this value of Alarms makes (default: nothing of it)",
    )


def add_shapes(parser: ArgumentParser) -> None:
    """Add the options that fix the filling of batches."""
    group = parser.add_argument_group(
        "batches", "Without one of these, the rate of an even month fills them."
    )
    shapes = group.add_mutually_exclusive_group()
    for name, text in (
        ("full", "ten events of ten tenants in a batch, ten deliveries in one: the best for many tenants"),
        ("packed", "ten events of one tenant in a batch, ten deliveries in each message: the best of all"),
        ("trickle", "each event alone in its batch: the worst, as where they come seconds apart"),
    ):
        shapes.add_argument(f"--{name}", dest="shape", action="store_const", const=name, help=text)
    parser.set_defaults(shape="even")


def add_parameters(parser: ArgumentParser) -> None:
    """Add the options that are parameters of the template."""
    group = parser.add_argument_group("parameters of the deployment")
    group.add_argument(
        "--batching-seconds",
        type=_number(0, BATCHING_MAX),
        default=SETTINGS.batching_seconds,
        metavar="S",
        help="BatchingSeconds (default: %(default)s)",
    )
    group.add_argument(
        "--webhook-cache-seconds",
        type=_number(0, CACHE_MAX),
        default=SETTINGS.webhook_cache_seconds,
        metavar="S",
        help=f"WebhookCacheSeconds, up to {CACHE_SECONDS} (default: %(default)s)",
    )
    group.add_argument(
        "--dispatcher-memory",
        type=int,
        choices=MEMORIES,
        default=SETTINGS.dispatcher_memory_mb,
        help="DispatcherMemory (default: %(default)s)",
    )
    group.add_argument(
        "--credential-store",
        choices=["SecretsManager", "Table"],
        default="SecretsManager",
        help="CredentialStore (default: %(default)s)",
    )
    group.add_argument(
        "--encryption-key",
        choices=["Customer", "AwsOwned"],
        default="Customer",
        help="EncryptionKey (default: %(default)s)",
    )
    group.add_argument(
        "--seed-secrets",
        choices=["Separate", "One"],
        default="Separate",
        help="SeedSecrets (default: %(default)s)",
    )
    group.add_argument(
        "--key-cache-seconds",
        type=int,
        choices=KEY_CACHES,
        default=SETTINGS.keys_seconds,
        help="KeyCacheSeconds (default: %(default)s)",
    )
    group.add_argument("--no-log-backups", action="store_true", help="LogBackups=false")
    group.add_argument(
        "--concurrency",
        type=_number(0, CONCURRENCY_MAX),
        metavar="N",
        help="Fanout-, Dispatcher- and RecoveryConcurrency; 0: Lambda polls quiet queues less",
    )


def load_of(options: Namespace, *, share: float = 1.0) -> Load:
    """Return the load that the options describe."""
    return Load(
        events=options.events,
        endpoints=options.endpoints,
        tenants=options.tenants,
        ms=options.ms,
        size=options.size,
        credentials=options.credentials,
        log_days=options.log_days,
        api_calls=options.api_calls,
        share=share,
    )


def settings_of(options: Namespace) -> Settings:
    """Return the settings with the parameters of the options."""
    return Settings(
        batching_seconds=options.batching_seconds,
        webhook_cache_seconds=options.webhook_cache_seconds,
        dispatcher_memory_mb=options.dispatcher_memory,
        has_credentials_in_table=options.credential_store == "Table",
        has_own_key=options.encryption_key == "Customer",
        has_one_seed=options.seed_secrets == "One",
        keys_seconds=options.key_cache_seconds,
        has_log_backups=not options.no_log_backups,
        has_maximum_concurrency=options.concurrency != 0,
    )


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        found = NUMBER.fullmatch(text.replace("_", ""))
        number = int(found[1]) * POWERS[found[2]] if found else -1
        if not low <= number <= high:
            raise ArgumentTypeError(
                f"a whole number from {low:,} to {high:,}; 10k, 10M and 1G are numbers, too"
            )
        return number

    return parse
