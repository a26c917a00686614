"""The numbers of docs/scale.md: the rate of events at which each quota binds, by the model."""

from benchmarks.model_tables import Rows, with_table
from benchmarks.quotas import PARTITION_READS, PARTITION_WRITES, quotas, use_of
from local.paths import ROOT
from webhooks.adapters.dynamodb.log_partitions import SHARDS
from webhooks_cli.costs.fill import FULL, PACKED

PAGE = ROOT / "docs" / "scale.md"
QUOTA_HEAD = "| events/s | bound | value | remedy | source |"
PARTITION_HEAD = "| partition | bound | of single deliveries | of packs of ten |"
HOT = 3000  # deliveries a second to one webhook


def rewritten(page: str) -> str:
    """Return the page with the model's numbers."""
    page = with_table(page, QUOTA_HEAD, _quotas())
    return with_table(page, PARTITION_HEAD, _partitions())


def _quotas() -> Rows:
    for each in sorted(quotas(use_of(FULL)), key=lambda each: each.rate):
        yield rounded(each.rate), each.name, each.value, each.remedy, each.source


def _partitions() -> Rows:
    """Yield the units a second in the busiest partitions of one webhook with HOT deliveries a second."""
    uses = [use_of(fill) for fill in (FULL, PACKED)]
    single, packed = uses
    yield (  # those of packs share items, which have a partition of their own
        "the webhook's log, writes",
        f"{PARTITION_WRITES:,}",
        _units(single.log_writes / SHARDS),
        _units(packed.log_writes),
    )
    yield "while they are held, and in each index", f"{PARTITION_WRITES:,}", *[_units(1 / SHARDS)] * 2
    yield (
        "the webhook's log, reads",
        f"{PARTITION_READS:,}",
        *(_units(each.log_reads / SHARDS) for each in uses),
    )
    yield (
        "the community's webhooks, reads",
        f"{PARTITION_READS:,}",
        *(_units(each.webhook_reads) for each in uses),
    )


def _units(each: float) -> str:
    return f"{each * HOT:,.0f}"


def rounded(rate: float) -> str:
    """Write a rate with two digits that count."""
    digits = len(str(int(rate)))
    return f"{round(rate, 2 - digits):,.0f}"
