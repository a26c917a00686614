"""The facts behind the metrics of the local stack, where CloudWatch would have counted them.

- Own metrics: the lines with metrics (EMF) in the functions' log groups, as CloudWatch Logs reads them.
- AWS/Lambda: the emulator counts invocations, errors, durations and throttles itself, of direct calls; throttles and
  dropped loops of all. It does not count the errors of batches from a queue: those are in its log.
- AWS/SQS: depths are attributes of the queue. The age of the oldest message is read from the messages: the emulator has
  no such metric. A message in flight cannot be read; on AWS it counts until its third receive.
- AWS/ApiGateway: the emulator's API counts nothing: `responses` has the statuses that the test got from it.
- AWS/DynamoDB: the emulator's tables never throttle, and have no errors of their own: no fact.
"""

import json
import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.stack import STACK_NAME, Stack
from tests.e2e import logs

CUT_SHORT = re.compile(r" Lambda (\S+) failed processing SQS batch")
COUNTS = {
    "ApproximateNumberOfMessagesVisible": "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
}
AGE = "ApproximateAgeOfOldestMessage"


class NoFactError(Exception):
    """The emulator has nothing that tells this metric."""


@dataclass(frozen=True)
class Metric:
    """A metric and one of its statistics, as an alarm names them."""

    namespace: str
    name: str
    dimensions: dict[str, str]
    stat: str


@dataclass
class Facts:
    """What is known of a stack since a time, in epoch seconds."""

    stack: Stack
    since: float = field(default_factory=time.time)
    responses: list[int] = field(default_factory=list)
    logged: int = field(init=False)  # bytes of the emulator's log at that time

    def __post_init__(self) -> None:
        self.logged = self.stack.emulator.log.stat().st_size

    def value(self, metric: Metric) -> float | None:
        """Return the metric over the time; None without data. Raises NoFactError."""
        match metric.namespace:
            case "AWS/SQS":
                return self._of_queue(metric.dimensions["QueueName"], metric.name)
            case "AWS/Lambda":
                return self._of_function(metric)
            case "AWS/ApiGateway" if metric.name == "5XXError":
                return statistic(metric.stat, [float(each >= 500) for each in self.responses])
            case namespace if namespace.startswith("AWS/"):
                raise NoFactError(f"{namespace} {metric.name}")
        return statistic(metric.stat, list(self._written(metric)))

    def _of_queue(self, name: str, metric: str) -> float | None:
        sqs = self.stack.client("sqs")
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        if metric == AGE:
            return oldest_age(sqs, url)
        count = COUNTS[metric]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[count])
        return float(found["Attributes"][count])

    def _of_function(self, metric: Metric) -> float | None:
        name = metric.dimensions["FunctionName"]
        found = self.stack.client("cloudwatch").get_metric_data(
            MetricDataQueries=[
                {
                    "Id": "one",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": metric.namespace,
                            "MetricName": metric.name,
                            "Dimensions": [{"Name": "FunctionName", "Value": name}],
                        },
                        "Period": 86_400,
                        "Stat": metric.stat,
                    },
                }
            ],
            StartTime=datetime.fromtimestamp(self.since, UTC),
            EndTime=datetime.fromtimestamp(time.time() + 1, UTC),
        )
        values: list[float] = found["MetricDataResults"][0]["Values"]
        cut_short = self._cut_short(name) if metric.name == "Errors" else 0
        if not values and not cut_short:
            return None
        return (sum(values) if metric.stat == "Sum" else max(values, default=0)) + cut_short

    def _cut_short(self, name: str) -> int:
        """Count the batches that a function's errors ended, by the emulator's log since then."""
        with self.stack.emulator.log.open("rb") as log:
            log.seek(self.logged)
            return CUT_SHORT.findall(log.read().decode("utf-8", "replace")).count(name)

    def _written(self, metric: Metric) -> Iterator[float]:
        """Yield the values of a metric in the functions' log lines."""
        service = metric.dimensions.get("service", "dispatcher")  # a lane is the dispatcher's
        for line in logs.lines(self.stack, f"/{STACK_NAME}/{service}", since=self.since):
            if '"_aws"' in line and f'"{metric.name}"' in line:
                yield from values_in(json.loads(line), metric)


def values_in(line: dict[str, Any], metric: Metric) -> Iterator[float]:
    """Yield a metric's values in a line, as CloudWatch reads it: by each set of dimensions that it names."""
    for directive in line["_aws"]["CloudWatchMetrics"]:
        named = {each["Name"] for each in directive["Metrics"]}
        if directive["Namespace"] != metric.namespace or metric.name not in named:
            continue
        for names in directive["Dimensions"]:
            if {name: str(line[name]) for name in names} == metric.dimensions:
                value = line[metric.name]
                yield from map(float, value if isinstance(value, list) else [value])


STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "Average": lambda values: sum(values) / len(values),
    "SampleCount": lambda values: float(len(values)),
}


def statistic(name: str, values: Sequence[float]) -> float | None:
    """Return a statistic, or a percentile by its name (p99); None without values."""
    if not values:
        return None
    if name in STATISTICS:
        return STATISTICS[name](values)
    rank = math.ceil(float(name.removeprefix("p")) / 100 * len(values))
    return sorted(values)[max(0, rank - 1)]


def oldest_age(sqs: Any, url: str) -> float | None:
    """Return the age of the oldest of the first messages that can be received; each stays where it is."""
    found = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, WaitTimeSeconds=0, AttributeNames=["All"]
    ).get("Messages", [])
    sent = [int(each["Attributes"]["SentTimestamp"]) / 1000 for each in found]
    return time.time() - min(sent) if sent else None
