"""Every metric of the service, and the part of a log line that carries some (CloudWatch's embedded format).

Each value of a metric's dimension is a custom metric with its own price: docs/metrics.md has the ceiling. The
log's formatter adds the stack's namespace and the time.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from webhooks.domain.values import value_type

MAX_VALUES = 100  # of one metric in one line: CloudWatch takes no more
API_FUNCTIONS = (
    "webhooks",
    "deliveries",
    "events",
    "test_event",
    "service_keys",
    "ecdsa_helper",
    "discovery",
    "console",
)
READERS = ("fanout", "dispatcher", "recovery")  # of queues
LANES = ("fast", "slow")


@value_type(frozen=True, slots=True)
class Metric:
    """A metric: its unit, and the field of the line that is its dimension, with all values of it."""

    unit: str
    dimension: str
    values: tuple[str, ...]


def _counts(dimension: str, values: tuple[str, ...], *names: str) -> dict[str, Metric]:
    return dict.fromkeys(names, Metric("Count", dimension, values))


CATALOGUE: Mapping[str, Metric] = {
    **_counts("service", API_FUNCTIONS, "ClientErrors", "ServerErrors"),
    **_counts("service", READERS, "MessagesFailed", "MessagesStuck", "MessagesNearDlq"),
    **_counts(
        "service",
        ("fanout",),
        "Events",
        "EventsMatched",
        "EventsUnmatched",
        "EventsDeadLettered",
        "EventsInvalid",
        "EventsPoisoned",
        "DeliveriesMade",
    ),
    **_counts(
        "lane",
        LANES,
        "DeliveriesDelivered",
        "DeliveriesRetried",
        "DeliveriesDead",
        "DeliveriesHeld",
        "DeliveriesSkipped",
    ),
    "EventToDelivery": Metric("Milliseconds", "lane", LANES),
    **_counts("service", ("dispatcher",), "DeliveriesPoisoned", "DeliveriesUnrecorded"),
    **_counts(
        "service",
        ("maintenance",),
        "WebhooksUnhealthy",
        "WebhooksSlow",
        "WebhooksFailing",
        "WebhooksHeld",
        "WebhooksDisabled",
        "Tenants",
        "TenantsHeld",
        "ChecksSent",
        "ChecksStopped",
        "CredentialsListed",
        "CredentialsUnbound",
        "CredentialsOrphans",
        "CredentialsDeleted",
        "CleanupStopped",
    ),
}


def metrics(values: Mapping[str, int | Sequence[int]]) -> dict[str, Any]:
    """Return the `extra` of a log line that is metrics, by their names in CATALOGUE.

    The line must have each dimension as a field; `service` it always has. A count is written as it is: leave
    a 0 out where no reading of it is expected. Of several values the first MAX_VALUES are written.
    """
    if not values:
        return {}
    written = {
        name: value if isinstance(value, int) else list(value[:MAX_VALUES]) for name, value in values.items()
    }
    return {"_aws": {"CloudWatchMetrics": _directives(tuple(values))}, **written}


def not_zero(values: Mapping[str, int]) -> dict[str, int]:
    """Return the counts that are not 0: a metric is paid for in each hour in which it is written."""
    return {name: value for name, value in values.items() if value}


@lru_cache(maxsize=256)
def _directives(names: tuple[str, ...]) -> Sequence[Mapping[str, Any]]:
    """Return a directive for each dimension; a batch's names are few and come again. Raises KeyError."""
    dimensions = dict.fromkeys(CATALOGUE[name].dimension for name in names)
    return tuple(
        {
            "Dimensions": [[dimension]],
            "Metrics": [
                {"Name": name, "Unit": CATALOGUE[name].unit}
                for name in names
                if CATALOGUE[name].dimension == dimension
            ],
        }
        for dimension in dimensions
    )
