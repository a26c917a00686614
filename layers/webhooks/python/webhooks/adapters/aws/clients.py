"""AWS clients: made when first needed, from one session, with one configuration; their errors as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import JSONParser, ResponseParser, ResponseParserFactory
from botocore.session import Session, get_session

from webhooks.domain.errors import UnavailableError
from webhooks.ports import TimeLeft

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

CONNECT_SECONDS, READ_SECONDS = 1, 2
# A try begins only while the invocation has time for it and for the longest wait before the next one
# (botocore's second backoff): so no call outlasts its invocation, whatever AWS does.
NEEDED_SECONDS = CONNECT_SECONDS + READ_SECONDS + 2.5
# A call that hangs holds a whole invocation: give up early, and let `standard` retries (jittered, with a
# budget) do the rest. Every write here may be repeated: it carries a token, a condition or the same key.
CONFIG = Config(
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=32,
    tcp_keepalive=True,
    # Of a call's CPU these two are a third: what is sent here is made by the adapters, whose tests send it.
    parameter_validation=False,
    user_agent="webhooks/1",
)
_AS_RETURNED = frozenset(("S", "N", "BOOL"))  # types of values whose JSON needs no reading


class OutOfTimeError(BotoCoreError):
    """The invocation has no time left for a call; it is not tried again."""

    fmt = "the invocation has no time left for a call"


class AwsClients:
    """One session and its clients; safe to share between threads. `time_left`: of the running invocation."""

    def __init__(self, *, time_left: TimeLeft) -> None:
        self._time_left = time_left
        self._lock = Lock()
        self._session: Session | None = None
        self._clients: dict[str, Any] = {}

    @property
    def dynamodb(self) -> DynamoDBClient:
        """Return the client for tables."""
        return cast("DynamoDBClient", self._client("dynamodb"))

    @property
    def secrets(self) -> SecretsManagerClient:
        """Return the client for secrets."""
        return cast("SecretsManagerClient", self._client("secretsmanager"))

    @property
    def sqs(self) -> SQSClient:
        """Return the client for queues."""
        return cast("SQSClient", self._client("sqs"))

    def close(self) -> None:
        """Close all connections."""
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
                    self._session = self._session or _session()
                    client = self._session.create_client(service, config=CONFIG)
                    client.meta.events.register("before-send.*", self._check_time)
                    self._clients[service] = client
        return client

    def _check_time(self, **_: Any) -> None:
        if self._time_left() < NEEDED_SECONDS:
            raise OutOfTimeError


class _Parser(JSONParser):
    """Takes DynamoDB's items as they are in the answer, which is as botocore returns them, bytes aside.

    Botocore makes each value anew, trying all of its ten types: half the CPU of a call that reads.
    """

    def _handle_map(self, shape: Any, value: Any) -> Any:
        if shape.value.name == "AttributeValue" and all(map(_AS_RETURNED.issuperset, value.values())):
            return value
        return super()._handle_map(shape, value)  # type: ignore[misc]  # botocore has no types


class _Parsers(ResponseParserFactory):
    def create_parser(self, protocol_name: str) -> ResponseParser:
        return _Parser() if protocol_name == "json" else super().create_parser(protocol_name)


def _session() -> Session:
    session = get_session()
    session.register_component("response_parser_factory", _Parsers())
    return session


@contextmanager
def unavailable(operation: str) -> Iterator[None]:
    """Raise UnavailableError for every AWS error inside; its text names the operation and the error's code.

    The error itself is not chained: its text can quote the request.
    """
    try:
        yield
    except ClientError as error:
        raise UnavailableError(f"{operation}: {error_code(error)}") from None
    except BotoCoreError as error:
        raise UnavailableError(f"{operation}: {type(error).__name__}") from None


def error_code(error: ClientError) -> str:
    """Return AWS's code of an error."""
    return error.response.get("Error", {}).get("Code", "Unknown")
