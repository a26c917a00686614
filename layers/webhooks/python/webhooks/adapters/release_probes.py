"""Probes of what a function needs, by its permissions: they read nothing that exists, and send nothing."""

from botocore.exceptions import BotoCoreError, ClientError

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import error_code, unavailable, unavailable_error
from webhooks.adapters.dynamodb.items import key
from webhooks.adapters.dynamodb.table import Table
from webhooks.ports import Probe

ABSENT = "probe"  # a partition key that no item has
# In the code of SQS's error for a caller that may not send, and for a queue that does not exist.
NOT_SENDABLE = ("AccessDenied", "NonExistentQueue", "QueueDoesNotExist")


def item_probe(aws: AwsClients, table: str, *, sort_key: bool = True) -> Probe:
    """Ask a table for an absent item."""
    absent = key(ABSENT, ABSENT) if sort_key else key(ABSENT)
    return lambda: Table(aws, table).get_eventually(absent)


def batch_probe(aws: AwsClients, *tables: str) -> Probe:
    """Ask tables for an absent item each, with a batch of one."""
    return lambda: [Table(aws, table).get_many([key(ABSENT, ABSENT)]) for table in tables]


def query_probe(aws: AwsClients, table: str) -> Probe:
    """Ask a table for an empty partition."""
    return lambda: list(Table(aws, table).query(ABSENT))


def send_probe(aws: AwsClients, *queue_urls: str) -> Probe:
    """Send empty batches, which SQS refuses: by another error where the caller may not send."""

    def probe() -> None:
        for queue_url in queue_urls:
            try:
                aws.sqs.send_message_batch(QueueUrl=queue_url, Entries=[])
            except ClientError as error:
                if any(each in error_code(error) for each in NOT_SENDABLE):
                    raise unavailable_error("sqs SendMessage", error) from None
            except BotoCoreError as error:
                raise unavailable_error("sqs SendMessage", error) from None

    return probe


def list_secrets_probe(aws: AwsClients) -> Probe:
    """List one secret, and discard it."""

    def probe() -> None:
        with unavailable("secretsmanager ListSecrets"):
            aws.secrets.list_secrets(MaxResults=1)

    return probe
