import pytest

from benchmarks.quotas import PARTITION_WRITES, quotas, use_of
from benchmarks.scale_page import PAGE, QUOTA_HEAD, rewritten, rounded
from webhooks_cli.costs.fill import FULL, PACKED


def test_the_numbers_of_the_page_are_those_of_the_model() -> None:
    page = PAGE.read_text()
    assert rewritten(page) == page, "run: .venv/bin/python -m benchmarks.model_pages"


def test_the_quotas_stand_in_the_order_in_which_they_bind() -> None:
    rows = PAGE.read_text().partition(QUOTA_HEAD)[2].split("\n\n")[0].split("\n")[2:]
    rates = [int(row.split("|")[1].replace(",", "")) for row in rows]
    assert len(rates) == len(list(quotas(use_of(FULL)))) == len(set(rows))
    assert rates == sorted(rates)


def test_packs_take_fewer_units_than_single_deliveries() -> None:
    single, packed = use_of(FULL), use_of(PACKED)
    assert packed.log_writes < single.log_writes
    assert packed.webhook_reads < single.webhook_reads


def test_a_webhooks_log_binds_at_a_unit_for_each_delivery() -> None:
    assert PARTITION_WRITES / use_of(FULL).log_writes == 1000


@pytest.mark.parametrize(
    ("rate", "text"), [(999.6, "1,000"), (2119, "2,100"), (38_760, "39,000"), (55, "55"), (4000, "4,000")]
)
def test_a_rate_has_two_digits_that_count(rate: float, text: str) -> None:
    assert rounded(rate) == text
