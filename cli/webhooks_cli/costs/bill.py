"""The bill of AWS for a month's traffic, line by line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from webhooks_cli.costs.prices import GB, MILLION, US_EAST_1, Prices
from webhooks_cli.costs.settings import SETTINGS, Settings
from webhooks_cli.costs.traffic import Invocations, Load, Traffic


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


def bill_of(
    load: Load,
    traffic: Traffic,
    *,
    prices: Prices = US_EAST_1,
    settings: Settings = SETTINGS,
    sends: bool = False,
) -> Bill:
    """Write the bill; `sends`: with the price of a send by its producer for each event."""
    lines = [
        *_lambda(traffic, prices, settings),
        *_queues(traffic, prices, sends=sends),
        *_tables(traffic, prices),
        *_keys(load, traffic, prices=prices, settings=settings),
        *_logs(traffic, prices, settings),
        _line("Data transfer", "callbacks", traffic.egress_bytes / GB, unit="GB", price=prices.egress_gb),
    ]
    return Bill([line for line in lines if line.dollars])


def _lambda(traffic: Traffic, prices: Prices, settings: Settings) -> Iterator[Line]:
    def gb_seconds(invocations: Invocations) -> float:
        return invocations.count * invocations.ms / 1000 * settings.memory_mb / 1024

    dispatching = gb_seconds(traffic.dispatcher) + gb_seconds(traffic.deferrals)
    yield _line(
        "Lambda", "fan-out's time", gb_seconds(traffic.fanout), unit="GB-s", price=prices.lambda_gb_second
    )
    yield _line("Lambda", "dispatcher's time", dispatching, unit="GB-s", price=prices.lambda_gb_second)
    yield _counted("Lambda", "invocations", traffic.invocations, price=prices.lambda_requests)


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


def _tables(traffic: Traffic, prices: Prices) -> Iterator[Line]:
    stored = traffic.log_table_bytes / GB
    yield _counted("DynamoDB", "log's write units", traffic.write_units, price=prices.write_units)
    yield _counted("DynamoDB", "read units", traffic.read_units, price=prices.read_units)
    yield _line("DynamoDB", "log, stored", stored, unit="GB", price=prices.table_gb)
    yield _line("DynamoDB", "log, point-in-time recovery", stored, unit="GB", price=prices.backup_gb)


def _keys(load: Load, traffic: Traffic, *, prices: Prices, settings: Settings) -> Iterator[Line]:
    secrets = settings.secrets + load.credentials
    yield _line("Secrets Manager", "secrets", secrets, unit="", price=prices.secret, standing=True)
    yield _counted("Secrets Manager", "calls", traffic.secret_calls, price=prices.secret_calls)
    yield _line("KMS", "key", 1, unit="", price=prices.key, standing=True)
    yield _counted("KMS", "requests", traffic.key_requests, price=prices.key_requests)


def _logs(traffic: Traffic, prices: Prices, settings: Settings) -> Iterator[Line]:
    written = traffic.log_bytes / GB
    yield _line("CloudWatch", "log lines", written, unit="GB", price=prices.log_gb)
    yield _line(
        "CloudWatch", "logs, stored", written * settings.log_days / 30, unit="GB", price=prices.stored_log_gb
    )


def _line(
    service: str, item: str, quantity: float, *, unit: str, price: float, standing: bool = False
) -> Line:
    return Line(service, item, quantity, unit, quantity * price, standing)


def _counted(service: str, item: str, count: float, *, price: float, standing: bool = False) -> Line:
    return Line(service, item, count, "", count * price / MILLION, standing)
