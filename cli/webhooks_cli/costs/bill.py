"""The bill of AWS for a month's traffic, line by line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from webhooks_cli.costs.load import Load
from webhooks_cli.costs.prices import GB, MILLION, US_EAST_1, Prices
from webhooks_cli.costs.settings import SETTINGS, Settings
from webhooks_cli.costs.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the bill. `standing`: it is due without any event, too."""

    service: str
    item: str
    quantity: float
    unit: str
    dollars: float
    standing: bool = False


@dataclass(frozen=True, slots=True)
class Bill:
    """A month's bill, without lines of no dollars."""

    lines: Sequence[Line]

    @property
    def total(self) -> float:
        """The sum of all lines."""
        return sum(line.dollars for line in self.lines)

    @property
    def by_events(self) -> float:
        """The sum of the lines that only events cause."""
        return sum(line.dollars for line in self.lines if not line.standing)

    @property
    def services(self) -> Mapping[str, float]:
        """The sum of each service, in the lines' order."""
        sums: dict[str, float] = {}
        for line in self.lines:
            sums[line.service] = sums.get(line.service, 0) + line.dollars
        return sums


@dataclass(frozen=True, slots=True)
class Watch:
    """A value of the parameter Alarms. `metrics`: custom ones; `alarm_metrics`: metrics of all alarms."""

    metrics: int
    alarm_metrics: int
    dashboards: int


WATCHES = {"None": Watch(30, 0, 0), "Basic": Watch(30, 18, 1), "All": Watch(30, 96, 1)}


def bill_of(
    load: Load,
    traffic: Traffic,
    *,
    prices: Prices = US_EAST_1,
    settings: Settings = SETTINGS,
    sends: bool = False,
    watch: Watch | None = None,
) -> Bill:
    """Write the bill; `sends`: with the price of a send by its producer for each event; `watch`: with
    metrics, alarms and the dashboard.
    """
    lines = [
        *_lambda(traffic, prices),
        *_queues(traffic, prices, sends=sends),
        *_tables(traffic, prices, settings),
        *_keys(load, traffic, prices=prices, settings=settings),
        *_logs(traffic, prices, settings),
        *_watch(watch, prices),
        _counted("API Gateway", "calls of the API", load.api_calls, price=prices.api_calls),
        _line("Data transfer", "callbacks", traffic.egress_bytes / GB, unit="GB", price=prices.egress_gb),
    ]
    return Bill([line for line in lines if line.dollars])


def _lambda(traffic: Traffic, prices: Prices) -> Iterator[Line]:
    times = {
        "fan-out's time": traffic.fanout.gb_seconds,
        "dispatcher's time": traffic.dispatcher.gb_seconds + traffic.deferrals.gb_seconds,
        "API's time": traffic.api.gb_seconds,
        "start of containers": traffic.init_gb_seconds,
    }
    for item, gb_seconds in times.items():
        yield _line("Lambda", item, gb_seconds, unit="GB-s", price=prices.lambda_gb_second)
    count = traffic.invocations + traffic.api.count
    yield _counted("Lambda", "invocations", count, price=prices.lambda_requests)


def _queues(traffic: Traffic, prices: Prices, *, sends: bool) -> Iterator[Line]:
    sent = traffic.producer_requests if sends else 0
    yield _counted("SQS", "producers' sends", sent, price=prices.sqs_requests)
    yield _counted("SQS", "receive, delete, send", traffic.queue_requests, price=prices.sqs_requests)
    # Deletions name no group; to count them as well is the dearer reading of the price list.
    yield _counted("SQS", "fair queues", sent + traffic.queue_requests, price=prices.sqs_fair_requests)
    yield _counted(
        "SQS",
        "Lambda's polls of empty queues",
        traffic.empty_receives,
        price=prices.sqs_requests,
        standing=True,
    )


def _tables(traffic: Traffic, prices: Prices, settings: Settings) -> Iterator[Line]:
    stored = traffic.log_table_bytes / GB
    backed_up = stored if settings.has_log_backups else 0
    yield _counted("DynamoDB", "log's write units", traffic.write_units, price=prices.write_units)
    yield _counted("DynamoDB", "read units", traffic.read_units, price=prices.read_units)
    yield _line("DynamoDB", "log, stored", stored, unit="GB", price=prices.table_gb)
    yield _line("DynamoDB", "log, point-in-time recovery", backed_up, unit="GB", price=prices.backup_gb)


def _keys(load: Load, traffic: Traffic, *, prices: Prices, settings: Settings) -> Iterator[Line]:
    secrets = settings.secrets + (0 if settings.has_credentials_in_table else load.credentials)
    yield _line("Secrets Manager", "secrets", secrets, unit="", price=prices.secret, standing=True)
    yield _counted("Secrets Manager", "calls", traffic.secret_calls, price=prices.secret_calls)
    key = int(settings.has_own_key)
    yield _line("KMS", "key", key, unit="", price=prices.key, standing=True)
    yield _counted("KMS", "requests", traffic.key_requests, price=prices.key_requests)


def _logs(traffic: Traffic, prices: Prices, settings: Settings) -> Iterator[Line]:
    written = traffic.log_bytes / GB
    yield _line("CloudWatch", "log lines", written, unit="GB", price=prices.log_gb)
    yield _line(
        "CloudWatch", "logs, stored", written * settings.log_days / 30, unit="GB", price=prices.stored_log_gb
    )


def _watch(watch: Watch | None, prices: Prices) -> Iterator[Line]:
    if watch is None:
        return
    for item, count, price in (
        ("custom metrics", watch.metrics, prices.metric),
        ("alarms, by their metrics", watch.alarm_metrics, prices.alarm_metric),
        ("dashboard", watch.dashboards, prices.dashboard),
    ):
        yield _line("CloudWatch", item, count, unit="", price=price, standing=True)


def _line(
    service: str, item: str, quantity: float, *, unit: str, price: float, standing: bool = False
) -> Line:
    return Line(service, item, quantity, unit, quantity * price, standing)


def _counted(service: str, item: str, count: float, *, price: float, standing: bool = False) -> Line:
    return Line(service, item, count, "", count * price / MILLION, standing)
