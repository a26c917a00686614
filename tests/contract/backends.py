"""The backends that every contract test runs against: fakes, moto in process, and an emulator if one is named.

TEST_EMULATOR_ENDPOINT=http://127.0.0.1:4566 adds the emulator.
"""

import math
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest import mock

from botocore.config import Config
from moto import mock_aws
from mypy_boto3_dynamodb.type_defs import KeySchemaElementTypeDef

from tests.aws_stub.indexes import INDEXES, Index
from tests.clocks import Clock
from tests.lambda_functions import ACCOUNT
from tests.random_bytes import salted_bytes
from webhooks.adapters.aws.backoff import Backoff
from webhooks.adapters.aws.clients import CONFIG, AwsClients

EMULATOR = os.environ.get("TEST_EMULATOR_ENDPOINT", "")
PATIENT = CONFIG.merge(Config(read_timeout=60))  # of the emulator, on a busy machine
BACKENDS = ("memory", "moto", *(("emulator",) if EMULATOR else ()))


@dataclass
class Backend:
    """Where the adapters under test work. `aws` is None for the fakes."""

    name: str
    aws: AwsClients | None
    clock: Clock = field(default_factory=Clock)
    random_bytes: Callable[[int], bytes] = field(default_factory=salted_bytes)
    suffix: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    backoff: Backoff = field(default_factory=lambda: Backoff(first=0.001, longest=0.05))

    @property
    def clients(self) -> AwsClients:
        assert self.aws is not None
        return self.aws

    def table(self, name: str, *, sorted_by: str | None = "sk") -> str:
        """Make a table of this test's own, with the indexes of that name's, and return its name."""
        indexes = INDEXES.get(name, {})
        keys = [name for index in indexes.values() for name in (index.partition, index.sort)]
        attributes = dict.fromkeys(["pk", *([sorted_by] if sorted_by else []), *keys])
        table = f"{name}-{self.suffix}"
        more: Any = {"GlobalSecondaryIndexes": [*map(_index, indexes, indexes.values())]} if indexes else {}
        with suppress(self.clients.dynamodb.exceptions.ResourceInUseException):  # a slow call was tried again
            self.clients.dynamodb.create_table(
                TableName=table,
                KeySchema=_key_schema("pk", sorted_by),
                AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in attributes],
                BillingMode="PAY_PER_REQUEST",
                **more,
            )
        return table

    def queue(self, name: str) -> str:
        """Make a queue of this test's own and return its URL."""
        return self.clients.sqs.create_queue(QueueName=f"{name}-{self.suffix}")["QueueUrl"]

    def secret(self, name: str, value: str) -> str:
        """Make a secret of this test's own and return its name."""
        return self.clients.secrets.create_secret(Name=f"{name}-{self.suffix}", SecretString=value)["Name"]


def _key_schema(partition: str, sorted_by: str | None) -> list[KeySchemaElementTypeDef]:
    keys: list[KeySchemaElementTypeDef] = [{"AttributeName": partition, "KeyType": "HASH"}]
    return [*keys, {"AttributeName": sorted_by, "KeyType": "RANGE"}] if sorted_by else keys


def _index(name: str, index: Index) -> dict[str, Any]:
    projection = (
        {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.attributes)}
        if index.attributes
        else {"ProjectionType": "KEYS_ONLY"}
    )
    return {
        "IndexName": name,
        "KeySchema": _key_schema(index.partition, index.sort),
        "Projection": projection,
    }


@contextmanager
def backend_named(name: str, endpoint: str = EMULATOR) -> Iterator[Backend]:
    """Open a backend; moto's state ends with it."""
    if name == "memory":
        yield Backend(name, None)
        return
    with ExitStack() as stack:
        account = ACCOUNT | ({"AWS_ENDPOINT_URL": endpoint} if name == "emulator" else {})
        stack.enter_context(mock.patch.dict(os.environ, account))
        if name == "moto":
            os.environ.pop("AWS_ENDPOINT_URL", None)
            stack.enter_context(mock_aws())
            yield Backend(name, clients_of_moto())
            return
        clients = AwsClients(time_left=lambda: math.inf, config=PATIENT)
        yield Backend(name, clients)
        clients.close()


@cache
def clients_of_moto() -> AwsClients:
    """Return the clients that all tests with moto share: making them costs more than most tests."""
    return AwsClients(time_left=lambda: math.inf)
