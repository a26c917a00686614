"""The bill of a run: quantities that AWS has counted, at the prices of `webhooks cost`.

Cost Explorer is a day late. CloudWatch is minutes late, so the last minutes of a run are missing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from acceptance.account import Account
from acceptance.deployed import Deployed
from acceptance.metrics import Metric, calls, sums
from acceptance.report import BillLine
from webhooks_cli.costs.prices import GB, MILLION, US_EAST_1, Prices

API_REQUESTS = 3.50  # dollars a million, of a REST API: `webhooks cost` has no calls of the API
ALARM, DASHBOARD = 0.10, 3.00  # dollars a month, beyond the first ones of an account
CUSTOM_METRIC = 0.30  # dollars a month
MONTH_HOURS = 730
KEYS, SECRETS = 2, 6  # two stacks have them: the service's, and for minutes the one whose creation fails
STANDING_HOURS = 1  # more than a run takes
MOST = 1.00  # dollars: a run that would cost more is not begun


@dataclass(frozen=True, kw_only=True)
class Quantities:
    """The quantities of a run. None: CloudWatch has no data."""

    lambda_requests: float | None
    lambda_gb_seconds: float | None
    api_requests: float | None
    queue_requests: float | None
    write_units: float | None
    read_units: float | None
    key_requests: float | None
    secret_calls: float | None
    log_bytes: float | None
    alarms: float = 0
    dashboards: float = 0
    metrics: float = 0


# Of a run that tests everything, several times as much as a run is expected to need.
ESTIMATE = Quantities(
    lambda_requests=40_000,
    lambda_gb_seconds=8_000,
    api_requests=20_000,
    queue_requests=60_000,
    write_units=60_000,
    read_units=600_000,
    key_requests=30_000,
    secret_calls=10_000,
    log_bytes=0.2 * GB,
    alarms=100,
    dashboards=1,
    metrics=60,
)


def measured(account: Account, stacks: tuple[Deployed, ...], *, since: float) -> Quantities:
    """Ask CloudWatch for everything that a run has used so far."""
    kinds = {kind: list(_metrics(stacks, kind)) for kind in _KINDS if kind != "durations"}
    kinds["key_requests"] = list(calls(account, "KMS"))
    kinds["secret_calls"] = list(calls(account, "Secrets Manager"))
    found = sums(account, [metric for metrics in kinds.values() for metric in metrics], since=since)
    durations, memory = list(_metrics(stacks, "durations")), _memory(account, stacks)
    milliseconds = sums(account, durations, since=since)
    gb_seconds = [
        milliseconds[metric] / 1000 * memory[metric.dimensions[0][1]] / 1024
        for metric in durations
        if metric in milliseconds
    ]
    counted = {kind: _sum(found, metrics) for kind, metrics in kinds.items()}
    return Quantities(
        **counted,  # type: ignore[arg-type]  # its keys are the names of half of the fields
        lambda_gb_seconds=sum(gb_seconds) if gb_seconds else None,
        alarms=sum(len(stack.resources("AWS::CloudWatch::Alarm")) for stack in stacks),
        dashboards=sum(len(stack.resources("AWS::CloudWatch::Dashboard")) for stack in stacks),
    )


def lines(quantities: Quantities, *, prices: Prices = US_EAST_1) -> list[BillLine]:
    """Write the bill."""
    return [*_by_use(quantities, prices), *_standing(quantities, prices)]


def total(bill: list[BillLine]) -> float:
    """Return the sum."""
    return sum(line.dollars for line in bill)


def unmeasured(quantities: Quantities) -> list[str]:
    """Return the names of quantities that CloudWatch has no data of."""
    return [each.name for each in fields(quantities) if getattr(quantities, each.name) is None]


def _by_use(of: Quantities, prices: Prices) -> Iterator[BillLine]:
    account_wide = "of the whole account"
    counted = (
        ("Lambda", "invocations", of.lambda_requests, prices.lambda_requests, ""),
        ("API Gateway", "requests", of.api_requests, API_REQUESTS, ""),
        (
            "SQS",
            "requests",
            of.queue_requests,
            prices.sqs_requests + prices.sqs_fair_requests,
            "messages, each way",
        ),
        ("DynamoDB", "write units", of.write_units, prices.write_units, ""),
        ("DynamoDB", "read units", of.read_units, prices.read_units, ""),
        ("KMS", "requests", of.key_requests, prices.key_requests, account_wide),
        ("Secrets Manager", "calls", of.secret_calls, prices.secret_calls, account_wide),
    )
    if of.lambda_gb_seconds is not None:
        dollars = of.lambda_gb_seconds * prices.lambda_gb_second
        yield BillLine(
            "Lambda", "time", of.lambda_gb_seconds, "GB-s", dollars, "without the init of cold starts"
        )
    for service, item, quantity, price, assumed in counted:
        if quantity is not None:
            yield BillLine(service, item, quantity, "", quantity * price / MILLION, assumed)
    if of.log_bytes is not None:
        gigabytes = of.log_bytes / GB
        yield BillLine("CloudWatch", "log lines", gigabytes, "GB", gigabytes * prices.log_gb)


def _standing(of: Quantities, prices: Prices) -> Iterator[BillLine]:
    """Yield the lines of resources that are paid by the hour."""
    hours = STANDING_HOURS
    for service, item, count, price in (
        ("KMS", "keys", KEYS, prices.key),
        ("Secrets Manager", "secrets", SECRETS, prices.secret),
        ("CloudWatch", "alarms", of.alarms, ALARM),
        ("CloudWatch", "dashboards", of.dashboards, DASHBOARD),
        ("CloudWatch", "metrics", of.metrics, CUSTOM_METRIC),
    ):
        if count:
            dollars = count * price * hours / MONTH_HOURS
            yield BillLine(service, item, count, "", dollars, f"{hours} hour of the month")


_KINDS = {
    "lambda_requests": ("AWS::Lambda::Function", "AWS/Lambda", "FunctionName", ("Invocations",)),
    "queue_requests": (
        "AWS::SQS::Queue",
        "AWS/SQS",
        "QueueName",
        (
            "NumberOfMessagesSent",
            "NumberOfMessagesReceived",
            "NumberOfMessagesDeleted",
            "NumberOfEmptyReceives",
        ),
    ),
    "write_units": ("AWS::DynamoDB::Table", "AWS/DynamoDB", "TableName", ("ConsumedWriteCapacityUnits",)),
    "read_units": ("AWS::DynamoDB::Table", "AWS/DynamoDB", "TableName", ("ConsumedReadCapacityUnits",)),
    "log_bytes": ("AWS::Logs::LogGroup", "AWS/Logs", "LogGroupName", ("IncomingBytes",)),
    "api_requests": ("", "AWS/ApiGateway", "ApiName", ("Count",)),
    "durations": ("AWS::Lambda::Function", "AWS/Lambda", "FunctionName", ("Duration",)),
}


def _metrics(stacks: tuple[Deployed, ...], kind: str) -> Iterator[Metric]:
    resource_type, namespace, dimension, names = _KINDS[kind]
    for stack in stacks:
        # An API is named as its stack is; a queue's id is its URL.
        found = (
            [each["PhysicalResourceId"] for each in stack.resources(resource_type)]
            if resource_type
            else [stack.name]
        )
        for physical_id in found:
            value = physical_id.rpartition("/")[2] if namespace == "AWS/SQS" else physical_id
            yield from (Metric(namespace, name, ((dimension, value),)) for name in names)


def _memory(account: Account, stacks: tuple[Deployed, ...]) -> dict[str, int]:
    functions = account.client("lambda")
    return {
        each["PhysicalResourceId"]: functions.get_function_configuration(
            FunctionName=each["PhysicalResourceId"]
        )["MemorySize"]
        for stack in stacks
        for each in stack.resources("AWS::Lambda::Function")
    }


def _sum(found: Mapping[Metric, float], metrics: list[Metric]) -> float | None:
    values = [found[metric] for metric in metrics if metric in found]
    return sum(values) if values else None
