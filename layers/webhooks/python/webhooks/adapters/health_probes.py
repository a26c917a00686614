"""Health probes of AWS services: cheap calls that raise UnavailableError without a response."""

from collections.abc import Mapping, Sequence

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import unavailable
from webhooks.adapters.dynamodb.items import ItemKey
from webhooks.adapters.dynamodb.table import Table
from webhooks.ports import Probe


def tables_probe(aws: AwsClients, absent: Mapping[str, ItemKey]) -> Probe:
    """Ask each table, by its name, for an absent item."""

    def probe() -> None:
        for name, item_key in absent.items():
            Table(aws, name).get_eventually(item_key)

    return probe


def queues_probe(aws: AwsClients, queue_urls: Sequence[str]) -> Probe:
    """Ask queues for an attribute."""

    def probe() -> None:
        for queue_url in queue_urls:
            with unavailable("sqs GetQueueAttributes"):
                aws.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])

    return probe


def secrets_probe(aws: AwsClients, secret_ids: Sequence[str]) -> Probe:
    """Ask for secrets, and discard their values."""

    def probe() -> None:
        for secret_id in secret_ids:
            with unavailable("secretsmanager GetSecretValue"):
                aws.secrets.get_secret_value(SecretId=secret_id)

    return probe
