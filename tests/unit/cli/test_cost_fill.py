"""The filling of batches by the rate of events, and what the parameters of the template change."""

from dataclasses import replace

import pytest

from tests.unit.cli.command_line import CommandLine
from webhooks_cli.costs.batches import Model
from webhooks_cli.costs.bill import WATCHES
from webhooks_cli.costs.effects import ECONOMIES, Month, effects_of
from webhooks_cli.costs.event_path import interpolated
from webhooks_cli.costs.figures import BYTES, MEASURED, MeasuredFigures
from webhooks_cli.costs.fill import FULL, Fill, filled
from webhooks_cli.costs.load import BUSY_SHARE, MONTH_SECONDS, Load
from webhooks_cli.costs.settings import SETTINGS, Settings

RATES = (0.4, 4, 38, 190, 1000)


def load_at(rate: float, tenants: int = 100, **load: int) -> Load:
    return Load(events=round(rate * MONTH_SECONDS), tenants=tenants, **load)


def fill_at(rate: float, settings: Settings = SETTINGS, **load: int) -> Fill:
    return filled(Model(load=load_at(rate, **load), path=interpolated(), settings=settings, sizes=BYTES))


def month_at(rate: float, settings: Settings = SETTINGS, **load: int) -> Month:
    return Month(load=load_at(rate, **load), settings=settings)


@pytest.mark.parametrize(
    ("rate", "events", "messages"), [(0.4, 1, 1), (4, 1, 1), (38, 1, 2), (190, 2, 10), (1000, 9, 10)]
)
def test_pollers_take_what_came_while_they_were_away(rate: float, events: int, messages: int) -> None:
    found = fill_at(rate)
    assert (round(found.events), round(found.messages)) == (events, messages)


def test_no_batch_has_more_than_ten_messages_or_less_than_one() -> None:
    for rate in (0.001, *RATES, 100_000):
        for seconds in (0, 1, 5):
            found = fill_at(rate, replace(SETTINGS, batching_seconds=seconds))
            assert 1 <= found.communities <= found.events <= 10
            assert 1 <= found.messages <= 10


def test_a_window_fills_a_batch_with_a_pollers_share_of_its_messages() -> None:
    # Five pollers: at 4 events a second, one waits a second and has 0.8 more of them.
    assert fill_at(4, replace(SETTINGS, batching_seconds=1)).events == pytest.approx(1.8)
    assert fill_at(4, replace(SETTINGS, batching_seconds=5)).events == pytest.approx(5)


def test_fewer_pollers_of_a_quiet_queue_fill_a_window_better() -> None:
    window = replace(SETTINGS, batching_seconds=1)
    free = replace(window, has_maximum_concurrency=False)
    assert fill_at(4, free).events == pytest.approx(3)
    assert fill_at(1000, free) == fill_at(1000, window)


def test_packs_follow_from_the_tenants_that_share_a_batch() -> None:
    assert fill_at(1000, tenants=1).communities == 1
    few, many = fill_at(1000, tenants=10), fill_at(1000, tenants=100_000)
    assert 5 < few.communities < 7 < many.communities == pytest.approx(many.events, rel=0.001)


def test_packed_events_cost_less_than_those_of_many_tenants() -> None:
    assert month_at(1000, tenants=1).bill.total < month_at(1000, tenants=1000).bill.total


@pytest.mark.parametrize("name", MEASURED)
def test_a_measured_shape_is_interpolated_to_what_was_measured(name: str) -> None:
    figures, path = MEASURED[name], interpolated()
    shape = figures.shape
    fanned = (shape.communities_per_batch, shape.events_per_batch)
    dispatched = (shape.messages_per_batch, shape.deliveries_per_batch)
    assert path.fanout_cpu_ms.of(*fanned) / fanned[1] == pytest.approx(figures.fanout_cpu_ms_per_event)
    assert path.fanout_read_units.of(*fanned) / fanned[1] == pytest.approx(
        figures.fanout_read_units_per_event
    )
    assert path.cpu_ms.of(*dispatched) / dispatched[1] == pytest.approx(figures.cpu_ms_per_delivery)
    assert path.calls.of(*dispatched) == pytest.approx(figures.dispatcher_calls_per_batch)
    assert path.write_units.of(*dispatched) / dispatched[1] == pytest.approx(figures.write_units_per_delivery)


def test_a_row_of_a_pack_and_marks_of_a_shared_batch_need_no_other_model() -> None:
    rows: dict[str, MeasuredFigures] = {
        **MEASURED,
        "packed": replace(MEASURED["packed"], write_units_per_delivery=0.1, fanout_write_units_per_event=0.2),
    }
    path = interpolated(rows)
    assert path.write_units.of(7, 7) == pytest.approx(7)  # an item each
    assert path.write_units.of(7, 35) == pytest.approx(7)  # a row each
    assert path.fanout_write_units.of(6, 6) == pytest.approx(0)  # nothing is shared: no mark
    assert 0 < path.fanout_write_units.of(5, 6) < path.fanout_write_units.of(1, 6)


def test_three_shapes_that_are_alike_give_no_parts() -> None:
    single = MEASURED["single"]
    with pytest.raises(ValueError, match="three different shapes"):
        interpolated({"one": single, "two": single, "three": MEASURED["packed"]})


def test_a_month_costs_less_for_an_event_the_more_of_them_it_has() -> None:
    prices = [month_at(rate).bill.total / load_at(rate).events for rate in RATES]
    assert prices == sorted(prices, reverse=True)


def test_busy_hours_have_fuller_batches_and_the_same_deliveries() -> None:
    even = month_at(38)
    busy = replace(even, load=replace(even.load, share=BUSY_SHARE))
    assert busy.traffic.fill.messages > even.traffic.fill.messages
    assert busy.traffic.deliveries == even.traffic.deliveries
    assert busy.traffic.write_units <= even.traffic.write_units
    assert busy.bill.total < even.bill.total


@pytest.mark.parametrize(
    ("change", "service"),
    [
        ({"has_own_key": False}, "KMS"),
        ({"has_log_backups": False}, "DynamoDB"),
        ({"dispatcher_memory_mb": 256}, "Lambda"),
        ({"webhook_cache_seconds": 60}, "DynamoDB"),
        ({"has_maximum_concurrency": False}, "SQS"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else each,
)
def test_a_parameter_saves_in_one_service_alone(change: dict[str, int], service: str) -> None:
    before = month_at(38, tenants=10).bill.services
    after = month_at(38, replace(SETTINGS, **change), tenants=10).bill.services  # type: ignore[arg-type]
    assert after.get(service, 0) < before[service]
    for name in before.keys() - {service}:
        assert after[name] == pytest.approx(before[name], rel=0.01)


def test_a_cached_webhook_is_read_the_less_the_more_it_is_wanted() -> None:
    cached = replace(SETTINGS, webhook_cache_seconds=60)

    def saved(rate: float) -> float:
        usual, less = month_at(rate).traffic.read_units, month_at(rate, cached).traffic.read_units
        return (usual - less) / load_at(rate).events

    assert 0 < saved(0.4) < saved(4) < saved(38) < 1


def test_keys_that_are_kept_longer_are_read_less() -> None:
    kept, again = (month_at(4, replace(SETTINGS, keys_seconds=seconds)) for seconds in (300, 30))
    assert kept.traffic.secret_calls < again.traffic.secret_calls / 4
    assert kept.bill.services["Secrets Manager"] < again.bill.services["Secrets Manager"]


def test_a_queue_without_a_limit_has_two_pollers_while_nothing_comes() -> None:
    free = replace(SETTINGS, has_maximum_concurrency=False)
    polls = month_at(4, free).traffic.empty_receives / month_at(4).traffic.empty_receives
    assert polls == pytest.approx((3 * 2 + 5) / (4 * 5))


def test_credentials_in_the_table_leave_no_secret_of_theirs_and_are_read_by_kms() -> None:
    sealed = replace(SETTINGS, has_credentials_in_table=True)
    secrets, table = month_at(4, credentials=100), month_at(4, sealed, credentials=100)
    assert secrets.bill.total - table.bill.total == pytest.approx(40 + 72_000 * 5 / 1e6)
    assert table.traffic.key_requests == pytest.approx(secrets.traffic.key_requests)


def test_one_secret_for_all_seeds_costs_a_third_and_is_read_once_for_all() -> None:
    three, one = (
        month_at(0.4, replace(SETTINGS, has_own_key=False, has_one_seed=each)) for each in (False, True)
    )
    assert three.traffic.secret_calls == pytest.approx(3 * one.traffic.secret_calls)
    saved = three.bill.total - one.bill.total
    assert saved == pytest.approx(0.8 + 2 * one.traffic.secret_calls * 5 / 1e6)


def test_keys_that_are_kept_for_another_time_than_the_master_are_read_with_it_where_both_are_due() -> None:
    usual = replace(SETTINGS, has_one_seed=True)
    short = month_at(4, replace(usual, keys_seconds=30))
    assert short.traffic.secret_calls == pytest.approx(10 * month_at(4, usual).traffic.secret_calls, rel=0.05)


@pytest.mark.parametrize(("credentials", "left_out"), [(1, "has_credentials_in_table"), (10, "has_own_key")])
def test_all_that_save_are_parameters_that_a_deployment_accepts(credentials: int, left_out: str) -> None:
    """A sealed credential needs the stack's own key: of the two parameters, the one that saves more counts."""
    month = month_at(0.4, credentials=credentials)
    changes = {name: value for each in ECONOMIES for name, value in each.changes.items() if name != left_out}
    cheapest = replace(month, settings=replace(SETTINGS, **changes))
    [together] = [each for each in effects_of(month) if each.name == "all that save"]
    assert together.dollars == pytest.approx(cheapest.bill.total - month.bill.total)


def test_an_effect_is_the_difference_of_two_bills_and_has_its_price() -> None:
    month = month_at(38, credentials=10)
    found = {each.name: each for each in effects_of(month)}
    assert set(found) == {each.name for each in ECONOMIES} | {"all that save"}
    window = replace(month, settings=replace(SETTINGS, batching_seconds=1))
    assert found["BatchingSeconds=1"].dollars == pytest.approx(window.bill.total - month.bill.total)
    assert all(each.softens for name, each in found.items() if name != "all that save")
    assert found["all that save"].dollars < min(
        each.dollars for name, each in found.items() if name != "all that save"
    )


def test_a_parameter_that_is_set_or_changes_nothing_has_no_effect() -> None:
    month = replace(month_at(1000, replace(SETTINGS, batching_seconds=1)), fill=FULL)
    names = {each.name for each in effects_of(month)}
    assert "BatchingSeconds=1" not in names
    assert "CredentialStore=Table" not in names


def test_the_command_shows_the_range_and_the_effects(webhooks: CommandLine) -> None:
    document = webhooks("cost", "--events", "100M", "--json").document
    assert document["busyHoursTotal"] < document["total"]
    assert document["effects"][0]["parameter"] == "BatchingSeconds=1"
    shown = webhooks("cost", "--events", "100M").stdout
    assert "\ntotal            in busy hours " in shown
    assert "\nwith             BatchingSeconds=1 " in shown


def test_a_fixed_filling_has_no_busy_hours(webhooks: CommandLine) -> None:
    assert webhooks("cost", "--events", "100M", "--full", "--json").document["busyHoursTotal"] is None


@pytest.mark.parametrize(
    ("argv", "parameter", "value"),
    [
        (("--batching-seconds", "1"), "BatchingSeconds", 1),
        (("--webhook-cache-seconds", "60"), "WebhookCacheSeconds", 60),
        (("--dispatcher-memory", "256"), "DispatcherMemory", 256),
        (("--credential-store", "Table"), "CredentialStore", "Table"),
        (("--encryption-key", "AwsOwned"), "EncryptionKey", "AwsOwned"),
        (("--seed-secrets", "One"), "SeedSecrets", "One"),
        (("--no-log-backups",), "LogBackups", False),
        (("--concurrency", "0"), "hasMaximumConcurrency", False),
    ],
)
def test_each_parameter_has_an_option_that_makes_the_month_cheaper(
    webhooks: CommandLine, argv: tuple[str, ...], parameter: str, value: object
) -> None:
    usual = ("cost", "--events", "100M", "--credentials", "1", "--json")
    document = webhooks(*usual, *argv).document
    assert document["parameters"][parameter] == value
    assert document["total"] < webhooks(*usual).document["total"]


@pytest.mark.parametrize(
    "argv", [("--batching-seconds", "6"), ("--dispatcher-memory", "300"), ("--credential-store", "x")]
)
def test_a_value_that_the_template_refuses_is_refused(webhooks: CommandLine, argv: tuple[str, ...]) -> None:
    assert webhooks("cost", "--events", "1M", *argv).code == 2


def test_calls_of_the_api_and_the_alarms_are_included_on_request(webhooks: CommandLine) -> None:
    def total(*argv: str) -> float:
        return float(webhooks("cost", "--events", "1M", *argv, "--json").document["total"])

    usual = total()
    assert total("--api-calls", "1M") - usual > 3.5
    for name, watch in WATCHES.items():
        more = watch.metrics * 0.3 + watch.alarm_metrics * 0.1 + watch.dashboards * 3
        assert total("--alarms", name) - usual == pytest.approx(more, abs=0.001)
