"""The parameters that make a month cheaper, each with its effect on a load, and what it softens."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from webhooks_cli.costs.bill import Bill, Watch, bill_of
from webhooks_cli.costs.event_path import EventPath
from webhooks_cli.costs.fill import Fill
from webhooks_cli.costs.load import Load
from webhooks_cli.costs.settings import SETTINGS, Settings
from webhooks_cli.costs.traffic import Traffic, traffic_of

SEEN = 0.0005  # dollars a month: a smaller effect is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """All that decides a bill."""

    load: Load
    settings: Settings = SETTINGS
    fill: Fill | None = None  # of the batches; without it, that of the load's rate
    sends: bool = False
    watch: Watch | None = None
    path: EventPath | None = None

    @property
    def traffic(self) -> Traffic:
        return traffic_of(self.load, self.path, fill=self.fill, settings=self.settings)

    @property
    def bill(self) -> Bill:
        return bill_of(self.load, self.traffic, settings=self.settings, sends=self.sends, watch=self.watch)


@dataclass(frozen=True, slots=True)
class Economy:
    """A value of a parameter of the template. `changes`: of the settings."""

    parameter: str
    value: str
    changes: Mapping[str, Any]
    softens: str

    @property
    def name(self) -> str:
        return f"{self.parameter}={self.value}"


@dataclass(frozen=True, slots=True)
class Effect:
    """The change of a month's bill, in dollars."""

    name: str
    softens: str
    dollars: float


CACHE_SECONDS = 30  # the most that the template takes
ECONOMIES = (
    Economy("BatchingSeconds", "1", {"batching_seconds": 1}, "callbacks up to 2 s later"),
    Economy(
        "WebhookCacheSeconds",
        f"{CACHE_SECONDS}",
        {"webhook_cache_seconds": CACHE_SECONDS},
        f"changes seen up to {CACHE_SECONDS} s later",
    ),
    Economy("DispatcherMemory", "256", {"dispatcher_memory_mb": 256}, "half of the CPU"),
    Economy(
        "CredentialStore",
        "Table",
        {"has_credentials_in_table": True},
        "no secret for each credential",
    ),
    Economy("EncryptionKey", "AwsOwned", {"has_own_key": False}, "no key policy of your own"),
    Economy("SeedSecrets", "One", {"has_one_seed": True}, "functions share all keys"),
    Economy("LogBackups", "false", {"has_log_backups": False}, "no restore of the delivery log"),
    Economy(
        "FanoutConcurrency",
        "0",
        {"has_maximum_concurrency": False},
        "bounded by the account alone",
    ),
)


def effects_of(month: Month) -> Iterator[Effect]:
    """Yield the effect of each parameter alone that has one, and of all of them together."""
    before = month.bill.total
    saving: list[tuple[float, Economy]] = []
    for each in ECONOMIES:
        settings = replace(month.settings, **each.changes)
        dollars = replace(month, settings=settings).bill.total - before
        if settings == month.settings or abs(dollars) < SEEN or not settings.is_accepted:
            continue
        yield Effect(each.name, each.softens, dollars)
        if dollars < 0:
            saving.append((dollars, each))
    together, count = month.settings, 0
    for _, each in sorted(saving, key=lambda found: found[0]):  # of two that exclude each other, the better
        settings = replace(together, **each.changes)
        if settings.is_accepted:
            together, count = settings, count + 1
    if count > 1:
        yield Effect("all that save", "", replace(month, settings=together).bill.total - before)
