"""The deployment's queues by their names, and their depths; for operators."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from webhooks_cli.aws import Account, aws_errors
from webhooks_cli.deployment import Deployment
from webhooks_cli.errors import CliError
from webhooks_cli.timestamps import show_age

# Names of people for the names of stack.json, in the order of an event's way.
QUEUES = {
    "events": "eventsQueueUrl",
    "deliveries": "deliveriesQueueUrl",
    "slow deliveries": "slowDeliveriesQueueUrl",
    "recovery": "recoveryQueueUrl",
    "events-dlq": "eventsDlqUrl",
    "deliveries-dlq": "deliveriesDlqUrl",
    "recovery-dlq": "recoveryDlqUrl",
}
# Not deliveries-dlq: the dead deliveries of every endpoint that stays down are there, and need no operator.
WATCHED_DLQS = ("events-dlq", "recovery-dlq")
COLUMNS = ("queue", "messages", "in flight", "delayed", "oldest")
METRIC_MINUTES = 10  # SQS sends its metrics each minute, some minutes late
COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue's approximate counts; `oldest` is the age of its oldest message in seconds, None if unknown."""

    name: str
    messages: int
    in_flight: int
    delayed: int
    oldest: int | None

    def document(self) -> dict[str, Any]:
        return {
            "queue": self.name,
            "messages": self.messages,
            "inFlight": self.in_flight,
            "delayed": self.delayed,
            "oldestSeconds": self.oldest,
        }

    def row(self) -> tuple[str, ...]:
        """Return its cells under COLUMNS."""
        age = "" if self.oldest is None else show_age(self.oldest)
        return (self.name, str(self.messages), str(self.in_flight), str(self.delayed), age)


def queue_states(deployment: Deployment) -> list[QueueState]:
    """Read the depth of every queue. Raises CliError."""
    account = Account(deployment)
    urls = {name: account.find(field) for name, field in QUEUES.items()}
    ages = _ages(account, urls)
    return [_state(account, name, url=url, oldest=ages.get(name)) for name, url in urls.items()]


def message_count(account: Account, url: str) -> int:
    """Return about how many messages can be received from a queue. Raises CliError."""
    with aws_errors("sqs GetQueueAttributes"):
        found = account.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(found["Attributes"].get("ApproximateNumberOfMessages", "0"))


def _state(account: Account, name: str, *, url: str, oldest: int | None) -> QueueState:
    with aws_errors("sqs GetQueueAttributes"):
        found = account.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(COUNTS))  # type: ignore[arg-type]  # literals
    read: dict[str, str] = {str(key): value for key, value in found["Attributes"].items()}
    messages, in_flight, delayed = (int(read.get(each, "0")) for each in COUNTS)
    is_empty = not messages and not in_flight
    return QueueState(name, messages, in_flight, delayed, None if is_empty else oldest)


def _ages(account: Account, urls: dict[str, str]) -> dict[str, int]:
    """Return the age of each queue's oldest message as CloudWatch knows it; none without its permission."""
    now = datetime.now(timezone.utc)
    queries = [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SQS",
                    "MetricName": "ApproximateAgeOfOldestMessage",
                    "Dimensions": [{"Name": "QueueName", "Value": url.rpartition("/")[2]}],
                },
                "Period": 60,
                "Stat": "Maximum",
            },
        }
        for number, url in enumerate(urls.values())
    ]
    try:
        with aws_errors("cloudwatch GetMetricData"):
            found = (
                account.client("cloudwatch")
                .get_metric_data(
                    MetricDataQueries=queries,
                    StartTime=now - timedelta(minutes=METRIC_MINUTES),
                    EndTime=now,
                    ScanBy="TimestampDescending",
                )
                .get("MetricDataResults", [])
            )
    except CliError:
        return {}
    newest = {each["Id"]: each["Values"][0] for each in found if each.get("Values")}
    return {name: int(newest[f"q{at}"]) for at, name in enumerate(urls) if f"q{at}" in newest}
