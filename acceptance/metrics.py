"""Sums of CloudWatch's metrics since the start of a run."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import batched

from acceptance.account import Account

PERIOD = 60
A_CALL = 500  # metrics that one call takes


@dataclass(frozen=True)
class Metric:
    """A metric by namespace, name and dimensions."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


def sums(account: Account, metrics: Iterable[Metric], *, since: float) -> Mapping[Metric, float]:
    """Return the sum of each metric; those without data are missing."""
    found: dict[Metric, float] = {}
    for some in batched(metrics, A_CALL, strict=False):
        queries = [_query(number, metric) for number, metric in enumerate(some)]
        pages = account.client("cloudwatch").get_paginator("get_metric_data")
        for page in pages.paginate(
            MetricDataQueries=queries, StartTime=int(since) - PERIOD, EndTime=int(time.time()) + PERIOD
        ):
            for result in page["MetricDataResults"]:
                if result["Values"]:
                    metric = some[int(result["Id"].removeprefix("m"))]
                    found[metric] = found.get(metric, 0.0) + sum(result["Values"])
    return found


def _query(number: int, metric: Metric) -> dict[str, object]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    return {
        "Id": f"m{number}",
        "MetricStat": {
            "Metric": {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions},
            "Period": PERIOD,
            "Stat": "Sum",
        },
    }


def calls(account: Account, service: str) -> Iterator[Metric]:
    """Yield the metrics that count the calls of a service's API, of the whole account."""
    pages = account.client("cloudwatch").get_paginator("list_metrics")
    wanted = [{"Name": "Service", "Value": service}, {"Name": "Type", "Value": "API"}]
    for page in pages.paginate(Namespace="AWS/Usage", MetricName="CallCount", Dimensions=wanted):
        for found in page["Metrics"]:
            dimensions = tuple((each["Name"], each["Value"]) for each in found["Dimensions"])
            yield Metric("AWS/Usage", "CallCount", dimensions)
