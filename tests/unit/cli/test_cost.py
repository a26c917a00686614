import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.cli.command_line import CommandLine, Terminal
from webhooks.adapters.dynamodb import batch_writer, delivery_log_items
from webhooks.adapters.dynamodb import table as tables
from webhooks.adapters.secrets_manager import key_store
from webhooks_cli.costs import fill as fills
from webhooks_cli.costs.bill import Bill, bill_of
from webhooks_cli.costs.figures import MEASURED, SINGLE, TRICKLE, MeasuredFigures, Shape
from webhooks_cli.costs.load import MONTH_SECONDS, Load
from webhooks_cli.costs.settings import SETTINGS
from webhooks_cli.costs.traffic import Traffic, traffic_of

ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "template.yaml"
PAGE = (ROOT / "docs" / "cost.md").read_text()
MILLION = 1_000_000
FILLS = {"single": fills.FULL, "packed": fills.PACKED, "trickle": fills.TRICKLE}


def traffic(shape: str = "single", **load: int) -> Traffic:
    return traffic_of(Load(**{"events": MILLION, **load}), fill=FILLS[shape])


def bill(shape: str = "single", *, sends: bool = False, **load: int) -> Bill:
    month = Load(**{"events": MILLION, **load})
    return bill_of(month, traffic_of(month, fill=FILLS[shape]), sends=sends)


def test_the_table_has_each_service_and_a_total(webhooks: CommandLine) -> None:
    ended = webhooks("cost", "--events", "1M")
    assert ended.code == 0
    for name in ("Lambda", "SQS", "DynamoDB", "Secrets Manager", "KMS", "CloudWatch", "total"):
        assert f"\n{name} " in ended.stdout


def test_the_bill_is_drawn_on_a_terminal_and_plain_elsewhere(webhooks: CommandLine) -> None:
    assert "┃" in webhooks("cost", "--events", "1M", stdout=Terminal()).stdout
    assert "┃" not in webhooks("cost", "--events", "1M").stdout


def test_the_region_and_the_free_tier_are_named(webhooks: CommandLine) -> None:
    ended = webhooks("cost", "--events", "1M")
    assert "us-east-1" in ended.stderr
    assert "no free tier" in ended.stderr


def test_the_document_has_the_lines_and_their_sums(webhooks: CommandLine) -> None:
    document = webhooks("cost", "--events", "10M", "--endpoints", "5", "--json").document
    dollars = sum(line["dollars"] for line in document["lines"])
    assert document["total"] == pytest.approx(dollars, abs=0.001)
    assert document["total"] == pytest.approx(sum(document["services"].values()), abs=0.001)
    assert document["perMillionEvents"] == pytest.approx(document["total"] / 10, abs=0.001)
    assert document["load"] == {
        "eventsAMonth": 10_000_000,
        "endpoints": 5,
        "tenants": 100,
        "ms": 200,
        "size": 2048,
        "shape": "even",
        "credentials": 0,
        "logDays": 30,
        "apiCalls": 0,
    }


@pytest.mark.parametrize("text", ["0", "1", "500k", "10M", "1G", "1_000_000"])
def test_numbers_have_a_short_form(webhooks: CommandLine, text: str) -> None:
    assert webhooks("cost", "--events", text).code == 0


@pytest.mark.parametrize(
    "argv",
    [
        ("--events", "-1"),
        ("--events", "1.5M"),
        ("--events", "many"),
        ("--events", "9999G"),
        ("--events", "٣"),
        ("--events", "1M", "--ms", "5001"),
        ("--events", "1M", "--ms", "0"),
        ("--events", "1M", "--size", "2M"),
        ("--events", "1M", "--endpoints", "x"),
        ("--events", "1M", "--log-days", "0"),
    ],
    ids=" ".join,
)
def test_a_value_out_of_range_is_refused_with_its_range(webhooks: CommandLine, argv: tuple[str, ...]) -> None:
    ended = webhooks("cost", *argv)
    assert ended.code == 2
    assert "a whole number from" in ended.stderr
    assert ended.stdout == ""


def test_packed_and_trickle_exclude_each_other(webhooks: CommandLine) -> None:
    ended = webhooks("cost", "--events", "1M", "--packed", "--trickle")
    assert ended.code == 2
    assert "not allowed with" in ended.stderr


def test_the_number_of_events_is_required(webhooks: CommandLine) -> None:
    ended = webhooks("cost")
    assert ended.code == 2
    assert "--events" in ended.stderr


def test_a_month_without_events_has_standing_lines_and_no_price_per_event(
    webhooks: CommandLine,
) -> None:
    document = webhooks("cost", "--events", "0", "--json").document
    assert document["perMillionEvents"] is None
    assert {line["what"] for line in document["lines"]} == {
        "Lambda's polls of empty queues",
        "secrets",
        "key",
    }
    assert all(line["standing"] for line in document["lines"])


def test_an_invocation_is_billed_endpoint_time_calls_and_cpu_share() -> None:
    single = MEASURED["single"]
    expected = 200 + 2 * SETTINGS.call_ms + 10 * single.cpu_ms_per_delivery / (512 / 1769)
    assert traffic().dispatcher.ms == math.ceil(expected)
    assert traffic().dispatcher.count == 100_000
    assert traffic("packed").dispatcher.count == 10_000


def test_ten_events_take_five_requests_of_sqs() -> None:
    assert traffic().queue_requests == 500_000


def test_packs_are_billed_by_their_bytes() -> None:
    # Ten packs of ten bodies of 2 KB are four times 64 KiB to their receiver.
    assert traffic("packed").queue_requests == 10_000 * (4 + 1) + 100_000 * (1 + 1 + 1)


def test_a_body_that_fills_a_pack_travels_alone() -> None:
    packed, single = traffic("packed", size=60_000), traffic("single", size=60_000)
    assert packed.dispatcher.count == single.dispatcher.count == 100_000


def test_a_further_endpoint_is_a_further_delivery_of_the_same_event() -> None:
    one, five = traffic(), traffic(endpoints=5)
    assert five.deliveries == 5 * one.deliveries
    assert five.write_units == 5 * one.write_units
    assert five.fanout.count == one.fanout.count
    assert five.producer_requests == one.producer_requests


def test_events_without_a_match_cost_fan_out_alone() -> None:
    unwanted = traffic(endpoints=0)
    assert unwanted.fanout.count == 100_000
    assert (unwanted.dispatcher.count, unwanted.write_units, unwanted.egress_bytes) == (0, 0, 0)


def test_deliveries_of_slow_endpoints_are_received_and_read_twice() -> None:
    quick, slow = traffic(ms=999), traffic(ms=1000)
    assert quick.deferrals.count == 0
    assert slow.deferrals.count == slow.dispatcher.count
    assert slow.queue_requests == quick.queue_requests + 100_000 * 3
    assert slow.write_units == quick.write_units


def test_lambda_polls_four_queues_without_end() -> None:
    assert traffic(events=0).empty_receives == 4 * 5 * 3 * 60 * 24 * 30


def test_secrets_are_read_again_by_the_clock_not_by_the_event() -> None:
    few, many = traffic(events=100 * MILLION), traffic(events=200 * MILLION)
    assert few.dispatcher.environments == 1
    assert few.secret_calls == pytest.approx(
        MONTH_SECONDS * (2 / SETTINGS.keys_seconds + 1 / SETTINGS.master_seconds), rel=0.02
    )
    assert many.secret_calls <= 2 * few.secret_calls


@pytest.mark.parametrize("shape", MEASURED)
def test_the_price_of_events_grows_with_their_number(shape: str) -> None:
    small, large = (bill(shape, events=events * MILLION).services for events in (1000, 2000))
    for name in ("Lambda", "DynamoDB", "Data transfer", "CloudWatch"):
        assert large[name] == pytest.approx(2 * small[name], rel=0.001)


def test_an_event_costs_less_in_fuller_batches() -> None:
    trickle, single, packed = (bill(shape).total for shape in ("trickle", "single", "packed"))
    assert trickle > single > packed


def test_producers_sends_are_counted_on_request() -> None:
    assert bill(sends=True).total - bill().total == pytest.approx(0.40 + 0.10)


def test_a_credential_is_a_secret_that_is_read_each_hour() -> None:
    reads = 100 * 24 * 30
    more = bill(credentials=100).total - bill().total
    assert more == pytest.approx(100 * 0.40 + reads * (5.00 + 3.00) / MILLION)


@pytest.mark.parametrize("shape", [TRICKLE, SINGLE], ids=lambda shape: shape.name)
def test_the_calls_of_a_batch_follow_from_the_adapters_limits(shape: Shape) -> None:
    # tests/integration/test_call_counts.py counts them, and those of packs.
    deliveries = shape.deliveries_per_batch
    reads = math.ceil((shape.messages_per_batch + deliveries) / tables.BATCH_KEYS)
    writes = math.ceil(deliveries / batch_writer.BATCH)
    assert MEASURED[shape.name].dispatcher_calls_per_batch == reads + writes
    assert writes == 1


@pytest.mark.parametrize("figures", MEASURED.values(), ids=MEASURED)
def test_an_item_of_the_log_is_a_write_unit(figures: MeasuredFigures) -> None:
    assert (
        figures.log_item_bytes_per_delivery <= delivery_log_items.WRITE_UNIT * figures.log_items_per_delivery
    )
    assert figures.write_units_per_delivery == figures.log_items_per_delivery


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (r"    MemorySize: (\d+)\n", SETTINGS.memory_mb),
        (r"      KmsDataKeyReusePeriodSeconds: &key-reuse !If \[HasKey, (\d+),", SETTINGS.data_key_seconds),
        (r"      ReceiveMessageWaitTimeSeconds: (\d+)\n", SETTINGS.poll_seconds),
        (r"DeliveriesQueue.Arn\n            BatchSize: (\d+)\n", SINGLE.messages_per_batch),
        (r"  LogRetentionDays:\n    Type: Number\n    Default: (\d+)\n", SETTINGS.log_days),
    ],
    ids=["memory", "data key", "polling", "batch", "log retention"],
)
def test_a_setting_is_that_of_the_template(pattern: str, value: int) -> None:
    assert {int(found) for found in re.findall(pattern, TEMPLATE.read_text())} == {value}


def test_a_parameters_default_is_that_of_the_template(webhooks: CommandLine) -> None:
    text = TEMPLATE.read_text()
    shown = webhooks("cost", "--events", "1", "--json").document["parameters"]
    (group,) = re.findall(r"Label: \{default: Economy\}\n +Parameters: \[(.*)\]", text) or [""]
    for name in filter(None, group.split(", ")):
        (default,) = re.findall(rf'^  {name}:\n    Type: .*\n    Default: "?(\w+)"?$', text, re.MULTILINE)
        assert str(shown[name]).lower() == default.lower()


def test_the_template_has_as_many_queues_and_secrets_as_the_model() -> None:
    text = TEMPLATE.read_text()
    assert text.count("          Type: SQS\n") == SETTINGS.queues
    secret = "    Type: AWS::SecretsManager::Secret\n    Condition: "
    assert text.count(f"{secret}HasSeparateSeeds\n") == SETTINGS.secrets
    assert text.count(f"{secret}HasOneSeed\n") == replace(SETTINGS, has_one_seed=True).secrets
    # Neither traces nor lines of Lambda's own for each batch: the model has no price for them.
    assert text.count("      Tracing: PassThrough") == text.count("SystemLogLevel: WARN") == 3
    # With it, Lambda keeps five pollers for a quiet queue, too.
    assert (text.count("MaximumConcurrency:") == SETTINGS.queues) is (SETTINGS.pollers == 5)


def test_the_master_is_cached_as_long_as_in_the_model() -> None:
    assert SETTINGS.master_seconds == key_store.MASTER_SECONDS


@pytest.mark.parametrize(
    ("argv", "shown"),
    re.findall(r"^```\n\$ webhooks (cost [^\n]*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL),
)
def test_the_page_shows_the_bill_as_the_command_prints_it(
    webhooks: CommandLine, argv: str, shown: str
) -> None:
    assert webhooks(*argv.split()).stdout == shown


@pytest.mark.parametrize(
    ("column", "argv"),
    [
        (1, ("--events", "1M")),
        (2, ("--events", "100M")),
        (3, ("--events", "10M", "--endpoints", "5")),
    ],
)
def test_the_comparison_on_the_page_has_the_commands_total(
    webhooks: CommandLine, column: int, argv: tuple[str, ...]
) -> None:
    (row,) = re.findall(r"^\| \*\*this service\*\* .*$", PAGE, re.MULTILINE)
    total = webhooks("cost", *argv, "--json").document["total"]
    assert row.split("|")[column + 2].strip() == f"**${total:,.2f}**"
