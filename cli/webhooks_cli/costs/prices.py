"""AWS's prices in us-east-1, in dollars: on demand, first tier, no free tier. Sources: docs/cost.md."""

from dataclasses import dataclass

MILLION = 1_000_000
GB = 1_000_000_000  # bytes; where AWS means 2**30 of them this is 7 % too dear
REGION = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Dollars for each quantity that AWS counts; calls, requests and units by the million."""

    lambda_gb_second: float = 0.0000133334  # arm64
    lambda_requests: float = 0.20
    sqs_requests: float = 0.40  # each 64 KiB of an action's payload is one
    sqs_fair_requests: float = 0.10  # in addition, for a request with messages that have a group
    write_units: float = 0.625
    read_units: float = 0.125
    table_gb: float = 0.25  # for a month
    backup_gb: float = 0.20  # point-in-time recovery, for a month
    secret: float = 0.40  # for a month
    secret_calls: float = 5.00
    key: float = 1.00  # for a month
    key_requests: float = 3.00
    log_gb: float = 0.50
    stored_log_gb: float = 0.03  # for a month
    egress_gb: float = 0.09
    api_calls: float = 3.50  # of a REST API
    # For a month: custom metrics of a deployment without trouble, alarms by the metrics in them, the
    # dashboard. docs/metrics.md counts them.
    metric: float = 0.30
    alarm_metric: float = 0.10
    dashboard: float = 3.00


US_EAST_1 = Prices()
