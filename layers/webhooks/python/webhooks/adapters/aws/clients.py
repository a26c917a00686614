"""AWS clients: made when they are first needed, from one session, with one configuration."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from webhooks.adapters.aws.response_parser import session_with_parser
from webhooks.adapters.aws.short_calls import SERVICES, ShortCalls
from webhooks.ports import TimeLeft

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

CONNECT_SECONDS, READ_SECONDS = 1, 2
# A try begins only while the invocation has time for it and for the longest wait before the next one
# (botocore's second backoff): no call outlasts its invocation, whatever AWS does.
NEEDED_SECONDS = CONNECT_SECONDS + READ_SECONDS + 2.5
# A call that hangs holds a whole invocation: it is given up early, and botocore's `standard` retries (with
# jitter and a budget) do the rest. All writes are idempotent: by a token, a condition or the same key.
CONFIG = Config(
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=32,
    tcp_keepalive=True,
    # Validation is a third of a call's CPU. The adapters build the parameters, and their tests send them.
    parameter_validation=False,
    user_agent="webhooks/1",
)


class OutOfTimeError(BotoCoreError):
    """The invocation has no time left for a call; it is not tried again."""

    fmt = "the invocation has no time left for a call"


class AwsClients:
    """One session and its clients, for all threads. `time_left`: seconds of the running invocation."""

    def __init__(self, *, time_left: TimeLeft, config: Config = CONFIG) -> None:
        self._time_left = time_left
        self._config = config
        self._lock = Lock()
        self._session: Session | None = None
        self._clients: dict[str, Any] = {}

    @property
    def dynamodb(self) -> DynamoDBClient:
        return cast("DynamoDBClient", self._client("dynamodb"))

    @property
    def secrets(self) -> SecretsManagerClient:
        return cast("SecretsManagerClient", self._client("secretsmanager"))

    @property
    def sqs(self) -> SQSClient:
        return cast("SQSClient", self._client("sqs"))

    @property
    def kms(self) -> Any:
        return self._client("kms")

    @property
    def functions(self) -> Any:
        return self._client("lambda")

    @property
    def codedeploy(self) -> Any:
        return self._client("codedeploy")

    def close(self) -> None:
        """Close all connections; the next use makes new clients."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _client(self, service: str) -> Any:
        client = self._clients.get(service)
        if client is None:
            with self._lock:  # a session makes one client at a time
                client = self._clients.get(service)
                if client is None:
                    self._session = self._session or session_with_parser()
                    client = self._session.create_client(service, config=self._config)
                    client.meta.events.register("before-send.*", self._check_time)
                    if service in SERVICES:
                        ShortCalls(client, self._session.get_credentials())
                    self._clients[service] = client
        return client

    def _check_time(self, **_: Any) -> None:
        if self._time_left() < NEEDED_SECONDS:
            raise OutOfTimeError
