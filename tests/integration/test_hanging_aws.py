"""AWS that takes a call and never answers, or late: the functions' handlers end in time, and say so.

Real botocore connects to a socket that never answers, for the operations that hang; moto answers all others.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.aws_stub.hanging import HangingAws, hanging_aws
from tests.aws_stub.responses import clients_of
from tests.contract.backends import backend_named
from tests.contract.credential_stores import make_key
from tests.factories import (
    BASE,
    SYSTEM,
    ApiResponse,
    api_event,
    owner,
    read_response,
    webhook_body,
)
from tests.integration.test_api_functions import API, Deployed
from tests.integration.test_event_path import NATIVE, Stack, stack
from tests.lambda_functions import load_function
from tests.receiver import reply, token
from webhooks.adapters.aws.clients import NEEDED_SECONDS
from webhooks.bootstrap.runtime import invocation
from webhooks.domain.webhook import AuthType, Credential

__all__ = ["stack"]
SHORT = NEEDED_SECONDS + 1.9  # seconds of an invocation that has time for one try: a hanging one takes 2
LAMBDA = 25.0  # the API's functions
CREATE = ("PUT", f"{BASE}/webhook", webhook_body(api=API))


@dataclass
class Context:
    """The context that Lambda hands over."""

    seconds: float

    def __post_init__(self) -> None:
        self._started = time.monotonic()

    def get_remaining_time_in_millis(self) -> int:
        return round((self.seconds - (time.monotonic() - self._started)) * 1000)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[HangingAws]:
    with hanging_aws(monkeypatch) as aws:
        yield aws


@pytest.fixture
def deployed(aws: HangingAws) -> Iterator[Deployed]:
    with backend_named("moto") as backend:
        yield Deployed(backend)


def call(deployed: Deployed, method: str, path: str, body: Any = None, *, seconds: float) -> ApiResponse:
    """Make a request of an invocation that has so many seconds; the response must come within them."""
    headers = SYSTEM.headers(deployed.public_key, ts=time.time())
    event = api_event(method, path, headers=headers, body=None if body is None else json.dumps(body))
    clients_of(deployed.apps[owner(path)].aws)  # making them takes seconds on a busy machine
    started = time.monotonic()
    response = read_response(deployed.handlers[owner(path)](event, Context(seconds)))
    assert time.monotonic() - started < seconds
    invocation.begin(None)
    return response


def unavailable(response: ApiResponse) -> bool:
    return (response.status, response.headers.get("retry-after")) == (503, "5")


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("GetSecretValue", CREATE),  # the service's keys
        ("GetItem", CREATE),  # the license
        ("CreateSecret", CREATE),  # the credential
        ("TransactWriteItems", CREATE),
        ("GetItem", ("POST", f"{BASE}/webhooks/fetch", {})),
        ("GetSecretValue", ("GET", "/servicekeys")),
    ],
)
def test_a_call_that_hangs_is_a_503_in_time(
    deployed: Deployed, aws: HangingAws, operation: str, request_: tuple[Any, ...]
) -> None:
    aws.hanging = {operation}

    response = call(deployed, *request_, seconds=SHORT)

    assert unavailable(response), response
    assert aws.tried == [operation]


@pytest.mark.parametrize(
    ("operation", "request_"),
    [("GenerateDataKey", CREATE), ("Decrypt", ("POST", f"{BASE}/webhooks/fetch", {}))],
)
def test_a_kms_that_hangs_is_a_503_in_time(
    aws: HangingAws, operation: str, request_: tuple[Any, ...]
) -> None:
    with backend_named("moto") as backend:
        deployed = Deployed(backend, CREDENTIAL_STORE="Table", KMS_KEY_ID=make_key(backend))
        if operation == "Decrypt":
            assert deployed.call(*CREATE).status == 200
        aws.hanging = {operation}

        response = call(deployed, *request_, seconds=SHORT)

        assert unavailable(response), response
        assert aws.tried == [operation]


def test_a_hanging_call_is_tried_three_times_within_the_time_of_lambda(
    deployed: Deployed, aws: HangingAws
) -> None:
    aws.hanging = {"TransactWriteItems"}

    response = call(deployed, *CREATE, seconds=LAMBDA)

    assert unavailable(response), response
    assert aws.tried == ["TransactWriteItems"] * 3


def test_a_series_of_slow_calls_ends_in_time(deployed: Deployed, aws: HangingAws) -> None:
    aws.delays = {"any": 0.8}

    response = call(deployed, *CREATE, seconds=NEEDED_SECONDS + 2)

    assert unavailable(response), response


def dispatcher(seconds: float, messages: list[dict[str, Any]]) -> set[str]:
    """Run functions/dispatcher on messages of the fast lane; it must end in time. Returns those to come again."""
    function = load_function("dispatcher", os.environ)
    records = [
        {
            "messageId": each["MessageId"],
            "body": each["Body"],
            "attributes": {"ApproximateReceiveCount": "1"},
            "eventSourceARN": "arn:aws:sqs:us-east-1:1:deliveries",
        }
        for each in messages
    ]
    clients_of(function.app.aws)  # making them takes seconds on a busy machine
    started = time.monotonic()
    response = function.lambda_handler({"Records": records}, Context(seconds))
    assert time.monotonic() - started < seconds
    function.app.close()
    invocation.begin(None)  # the next invocation in this process has its own time
    return {failure["itemIdentifier"] for failure in response["batchItemFailures"]}


def published(stack: Stack) -> list[dict[str, Any]]:
    stack.publish(NATIVE)
    return stack.waiting("deliveries")


@pytest.mark.parametrize("operation", ["BatchGetItem", "GetSecretValue"])
def test_a_call_that_hangs_before_sending_leaves_nothing_sent(
    stack: Stack, aws: HangingAws, operation: str
) -> None:
    stack.register()
    messages = published(stack)
    aws.hanging = {operation}

    again = dispatcher(SHORT, messages)

    assert again == {each["MessageId"] for each in messages}
    assert aws.tried == [operation]
    assert stack.receiver.requests == []


def test_a_read_that_takes_nearly_all_of_the_time_leaves_nothing_sent(stack: Stack, aws: HangingAws) -> None:
    stack.register()
    messages = published(stack)
    aws.delays = {"BatchGetItem": 1.5}

    again = dispatcher(
        NEEDED_SECONDS + 2 + 5 + 1, messages
    )  # a settlement's, the ttl, and less than the read

    assert again == {each["MessageId"] for each in messages}
    assert stack.receiver.requests == []
    aws.delays = {}
    assert dispatcher(30, messages) == set()
    assert len(stack.receiver.requests) == 1


def test_a_hanging_credential_costs_only_its_own_delivery(stack: Stack, aws: HangingAws) -> None:
    stack.register(Credential(token="t"), endpoint={"auth_type": AuthType.BEARER})
    plain = stack.register(ttl=1)
    messages = published(stack)
    aws.hanging = {"GetSecretValue of test/credentials"}

    again = dispatcher(20, messages)

    [callback] = stack.receiver.requests
    assert (callback.header("webhook-id") or "").startswith(plain.id)
    assert len(again) == 1
    assert aws.tried


def test_a_slow_secrets_manager_beside_an_oauth_delivery_costs_no_delivery_its_time(
    stack: Stack, aws: HangingAws
) -> None:
    """Keys and credentials are read before a batch is sent, so that no conversation waits for AWS."""
    token_url = f"{stack.receiver.url}/token"
    stack.register(
        Credential(client_id="id", client_secret="secret"),
        ttl=2,
        endpoint={
            "auth_type": AuthType.OAUTH2,
            "oauth_grant_type": "client_credentials",
            "oauth_token_url": token_url,
        },
    )
    for _ in range(3):
        stack.register(ttl=2)
    stack.receiver.script(token("t", delay=0.2), path="/token")
    stack.receiver.script(reply(200, delay=0.1))
    messages = published(stack)
    aws.delays = {"GetSecretValue": 2.1}  # longer than a delivery may take

    assert dispatcher(60, messages) == set()

    items = stack.log()
    assert [item["outcome"]["S"] for item in items] == ["delivered"] * 4
    attempts = [json.loads(item["attempts"]["S"]) for item in items]
    assert [len(each) for each in attempts] == [1] * 4


def test_a_hanging_record_is_counted_as_failed(
    stack: Stack, aws: HangingAws, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.register()
    messages = published(stack)
    aws.hanging = {"BatchWriteItem"}

    again = dispatcher(30, messages)

    assert again == set()  # a second delivery would be worse than a gap in the log
    assert len(stack.receiver.requests) == 1
    assert '"deliveries.unrecorded"' in capsys.readouterr().out
