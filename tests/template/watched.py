"""Metrics as alarms and the dashboard name them, and those that AWS and the code write."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.template.template import Template, referred
from webhooks.metrics import CATALOGUE

NAMESPACE = "Webhooks/${AWS::StackName}"
# Metrics of AWS by namespace, with the dimensions that they are written with (the services' developer guides).
QUEUE, FUNCTION, STAGE = {"QueueName"}, {"FunctionName"}, {"ApiName", "Stage"}
TABLE, INDEX, CALL = {"TableName"}, {"TableName", "GlobalSecondaryIndexName"}, {"TableName", "Operation"}
AWS: Mapping[str, Mapping[str, list[set[str]]]] = {
    "AWS/SQS": {
        "ApproximateAgeOfOldestMessage": [QUEUE],
        "ApproximateNumberOfMessagesVisible": [QUEUE],
        "ApproximateNumberOfMessagesNotVisible": [QUEUE],
    },
    "AWS/Lambda": {
        "Errors": [FUNCTION],
        "Throttles": [FUNCTION],
        "Duration": [FUNCTION],
        "ConcurrentExecutions": [FUNCTION],
        "RecursiveInvocationsDropped": [FUNCTION],
    },
    "AWS/ApiGateway": {"Count": [STAGE], "4XXError": [STAGE], "5XXError": [STAGE], "Latency": [STAGE]},
    "AWS/DynamoDB": {
        "ReadThrottleEvents": [TABLE, INDEX],
        "WriteThrottleEvents": [TABLE, INDEX],
        "ConsumedReadCapacityUnits": [TABLE, INDEX],
        "ConsumedWriteCapacityUnits": [TABLE, INDEX],
        "SystemErrors": [CALL],
    },
}
KINDS = {
    "QueueName": "AWS::SQS::Queue",
    "FunctionName": "AWS::Lambda::Function",
    "TableName": "AWS::DynamoDB::Table",
}
STATISTIC = re.compile(r"Sum|Maximum|Average|SampleCount|p\d\d")


@dataclass(frozen=True)
class Watched:
    """A metric, its dimensions (logical ids where they are resources), statistic and period in seconds."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str
    period: int

    def faults(self, template: Template) -> list[str]:
        """Tell why the metric cannot have data, empty where it can."""
        return [
            *([] if STATISTIC.fullmatch(self.statistic) else [f"no statistic: {self.statistic}"]),
            *(self._own() if self.namespace == NAMESPACE else self._of_aws(template)),
        ]

    def _own(self) -> list[str]:
        known = CATALOGUE.get(self.name)
        if known is None:
            return [f"the code writes no {self.name}"]
        [(dimension, value)] = self.dimensions.items()
        fits = dimension == known.dimension and value in known.values
        return [] if fits else [f"{self.name} has no {dimension} {value}"]

    def _of_aws(self, template: Template) -> list[str]:
        if set(self.dimensions) not in AWS.get(self.namespace, {}).get(self.name, []):
            return [f"{self.namespace} has no {self.name} by {sorted(self.dimensions)}"]
        wrong = [
            f"{value} is no {KINDS[name]}"
            for name, value in self.dimensions.items()
            if name in KINDS and value not in template.resources(KINDS[name])
        ]
        if "GlobalSecondaryIndexName" in self.dimensions:
            table = template.resources("AWS::DynamoDB::Table")[self.dimensions["TableName"]]
            names = {each["IndexName"] for each in table["GlobalSecondaryIndexes"]}
            if self.dimensions["GlobalSecondaryIndexName"] not in names:
                wrong.append(f"no index {self.dimensions['GlobalSecondaryIndexName']}")
        return wrong


def watched_by(alarm: Mapping[str, Any]) -> list[Watched]:
    """Return the metrics that an alarm looks at."""
    if "Metrics" not in alarm:
        return [_watched(alarm, alarm.get("Statistic") or alarm["ExtendedStatistic"], alarm["Period"])]
    stats = [each["MetricStat"] for each in alarm["Metrics"] if "MetricStat" in each]
    return [_watched(each["Metric"], each["Stat"], each["Period"]) for each in stats]


def _watched(metric: Mapping[str, Any], statistic: str, period: int) -> Watched:
    dimensions = {each["Name"]: referred(each["Value"]) for each in metric["Dimensions"]}
    return Watched(referred(metric["Namespace"]), metric["MetricName"], dimensions, statistic, period)
