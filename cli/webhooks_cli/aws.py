"""AWS clients for the deployment's account, and the outputs of its stack; for operators."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from webhooks_cli.deployment import Deployment
from webhooks_cli.errors import CliError, MissingError, RefusedError, UnreachableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

LOOPBACK = ("127.0.0.1", "::1", "localhost")
# An output of the template by the name that stack.json gives it.
OUTPUTS = {
    "apiUrl": "ApiUrl",
    "accessTable": "AccessTable",
    "subscriptionsTable": "SubscriptionsTable",
    "eventsQueueUrl": "EventsQueueUrl",
    "eventsDlqUrl": "EventsDlqUrl",
    "deliveriesQueueUrl": "DeliveriesQueueUrl",
    "slowDeliveriesQueueUrl": "SlowDeliveriesQueueUrl",
    "deliveriesDlqUrl": "DeliveriesDlqUrl",
    "recoveryQueueUrl": "RecoveryQueueUrl",
    "recoveryDlqUrl": "RecoveryDlqUrl",
    "deliveriesTable": "DeliveriesTable",
    "serviceKeysSecret": "ServiceKeysSecret",
    "signingKeysSecret": "SigningKeysSecret",
    "webhookMasterSecret": "WebhookMasterSecret",
    "credentialsPrefix": "CredentialsPrefix",
    "keyArn": "KeyArn",
}
KEY_OF_AWS = "alias/aws/secretsmanager"  # of secrets, where the stack has no key of its own
SERVER_FAULT = 500
BUSY_CODES = (
    "Throttling",
    "ThrottlingException",
    "RequestThrottled",
    "ProvisionedThroughputExceededException",
)


class Account:
    """The AWS account and region of a deployment. Raises MissingError where boto3 is not installed."""

    def __init__(self, deployment: Deployment) -> None:
        if find_spec("boto3") is None:
            raise MissingError(
                "boto3 is not installed: install the command with its extra, webhooks-cli[operator]"
            )
        self._deployment = deployment
        self._clients: dict[str, Any] = {}

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        return cast("DynamoDBClient", self.client("dynamodb"))

    @cached_property
    def sqs(self) -> "SQSClient":
        return cast("SQSClient", self.client("sqs"))

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        return cast("SecretsManagerClient", self.client("secretsmanager"))

    def find(self, name: str) -> str:
        """Return a URL or a table's name by its name in stack.json; raises MissingError."""
        if known := self._deployment.names.get(name):
            return known
        if not self._deployment.stack:
            raise MissingError(
                f"{self._deployment.origin} does not say {name}: give --stack (and --region), "
                "or put stack into the profile"
            )
        outputs = {each["OutputKey"]: each["OutputValue"] for each in self.stack.get("Outputs", [])}
        found: str | None = outputs.get(OUTPUTS[name])
        if not found:
            raise MissingError(f"the stack {self._deployment.stack} has no output {OUTPUTS[name]}")
        return found

    def client(self, service: str) -> Any:
        """Return the client of a service, by boto3's name for it."""
        if service not in self._clients:
            self._clients[service] = self._client(service)
        return self._clients[service]

    @cached_property
    def stack(self) -> "Mapping[str, Any]":
        """The stack as CloudFormation describes it; empty where the deployment names none."""
        if not self._deployment.stack:
            return {}
        with aws_errors("cloudformation DescribeStacks"):
            found: list[dict[str, Any]] = self.client("cloudformation").describe_stacks(
                StackName=self._deployment.stack
            )["Stacks"]
        return found[0]

    def _client(self, service: str) -> Any:
        # Imported here: tenants do not need it, and it takes longer to load than all the rest.
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        endpoint = self._deployment.aws_endpoint
        local = _is_local(endpoint)
        # An emulator takes any credentials, and never gets the operator's real ones.
        dummy = {"aws_access_key_id": "test", "aws_secret_access_key": "test"} if local else {}
        proxies: dict[str, str] | None = {} if local else None  # no proxy on the way to loopback
        config = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard"}, proxies=proxies)
        with aws_errors(service):
            try:
                return boto3.client(
                    service,
                    region_name=self._deployment.region,
                    endpoint_url=endpoint,
                    config=config,
                    **dummy,
                )  # type: ignore[call-overload]  # one overload for each service
            except ValueError:
                raise MissingError(
                    f"{self._deployment.origin}: its awsEndpoint or region is malformed"
                ) from None


def _is_local(endpoint: str | None) -> bool:
    return endpoint is not None and urlsplit(endpoint).hostname in LOOPBACK


@contextmanager
def aws_errors(operation: str) -> Iterator[None]:
    """Raise a CliError for every AWS error inside."""
    from botocore import exceptions  # noqa: PLC0415 - as boto3 above

    try:
        yield
    except (exceptions.ClientError, exceptions.BotoCoreError) as error:
        raise _cli_error(operation, error) from None


def _cli_error(operation: str, error: Exception) -> CliError:
    from botocore import exceptions  # noqa: PLC0415 - as boto3 above

    match error:
        case exceptions.ClientError():
            return _client_error(operation, error.response)
        case (
            exceptions.NoCredentialsError()
            | exceptions.PartialCredentialsError()
            | exceptions.ProfileNotFound()
            | exceptions.CredentialRetrievalError()
            | exceptions.TokenRetrievalError()
        ):
            return MissingError("no AWS credentials: set AWS_PROFILE, or sign in")
        case exceptions.NoRegionError():
            return MissingError("no AWS region: give --region, or set AWS_DEFAULT_REGION")
        case exceptions.HTTPClientError() | exceptions.ConnectionError():
            return UnreachableError(f"{operation}: AWS does not answer")
        case exceptions.BotoCoreError():
            return MissingError(f"{operation}: {type(error).__name__}")
    return UnreachableError(f"{operation}: AWS did not answer as it should")


def _client_error(operation: str, response: Any) -> CliError:
    code = response.get("Error", {}).get("Code", "Unknown")
    message = response.get("Error", {}).get("Message", "")
    text = f"{operation}: {code}: {message}"
    if code in BUSY_CODES or response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= SERVER_FAULT:
        return UnreachableError(text)
    if "NotFound" in code or "NonExistent" in code or "does not exist" in message:
        is_stack = operation.startswith("cloudformation")
        return MissingError(f"{text}: look at --stack and --region" if is_stack else text)
    return RefusedError(text)


def with_api_url(deployment: Deployment) -> Deployment:
    """Return the deployment with its API's URL, from the stack's outputs where no other source has it."""
    if deployment.url or not deployment.stack:
        return deployment
    return replace(deployment, url=Account(deployment).find("apiUrl"))
