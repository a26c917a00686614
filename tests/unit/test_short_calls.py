"""Short calls send what botocore would send, and end as its calls end."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.session import get_session

from webhooks.adapters.aws import short_calls
from webhooks.adapters.aws.clients import CONFIG, NEEDED_SECONDS, AwsClients, OutOfTimeError

KEY = {"pk": {"S": "W#1"}, "sk": {"S": "é\ud83d\u0001"}}
ITEM: Any = {**KEY, "bytes": {"B": b"\x00\xff"}, "set": {"BS": [b"a", b"b"]}, "map": {"M": {"n": {"N": "1"}}}}
MESSAGE = {"MessageBody": "a\nb€", "MessageAttributes": {"w": {"DataType": "String", "StringValue": "v"}}}
QUEUE = "https://sqs.eu-central-1.amazonaws.com/1/queue"
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("dynamodb", "get_item", {"TableName": "t", "Key": KEY, "ConsistentRead": True}),
    ("dynamodb", "batch_get_item", {"RequestItems": {"t": {"Keys": [KEY]}}}),
    ("dynamodb", "query", {"TableName": "t", "ExpressionAttributeValues": {":a": {"S": "x"}}, "Limit": 3}),
    ("dynamodb", "put_item", {"TableName": "t", "Item": ITEM}),
    ("dynamodb", "update_item", {"TableName": "t", "Key": KEY, "UpdateExpression": "SET a = b"}),
    ("dynamodb", "delete_item", {"TableName": "t", "Key": KEY}),
    ("dynamodb", "batch_write_item", {"RequestItems": {"t": [{"PutRequest": {"Item": ITEM}}]}}),
    ("sqs", "send_message", {"QueueUrl": QUEUE, **MESSAGE, "DelaySeconds": 3}),
    ("sqs", "send_message_batch", {"QueueUrl": QUEUE, "Entries": [{"Id": "1", **MESSAGE}]}),
    ("sqs", "delete_message_batch", {"QueueUrl": QUEUE, "Entries": [{"Id": "1", "ReceiptHandle": "r"}]}),
]
IDENTITIES = ("amz-sdk-invocation-id",)  # each call's own


class Recorder:
    """The requests that a client sends, and the responses that it gets: status, headers and body."""

    def __init__(self, client: Any) -> None:
        self.requests: list[Any] = []
        self.responses: list[tuple[int, dict[str, str], bytes] | Exception] = []
        client.meta.events.register("before-send", self._respond, unique_id="recorder")

    def _respond(self, request: Any, **_: Any) -> AWSResponse:
        self.requests.append(request)
        response = self.responses.pop(0) if self.responses else (200, {}, b"{}")
        if isinstance(response, Exception):
            raise response
        status, headers, body = response
        return AWSResponse(request.url, status, HTTPHeaders.from_dict(headers), Raw(body))


class Raw:
    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self, **_: Any) -> list[bytes]:
        return [self.body]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "dispatcher")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-2;Parent=3;Lineage=4:5")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.fixture
def aws() -> AwsClients:
    return AwsClients(time_left=lambda: NEEDED_SECONDS + 60)


def now() -> datetime:
    return datetime(2026, 9, 5, 12, 30, 1)  # noqa: DTZ001 - as botocore has it


def sent(client: Any, method: str, parameters: dict[str, Any], *, times: int) -> Any:
    recorder = Recorder(client)
    for _ in range(times):
        getattr(client, method)(**parameters)
    return recorder.requests[-1]


def shown(request: Any) -> dict[str, Any]:
    headers = {name: v.decode() if isinstance(v, bytes) else v for name, v in request.headers.items()}
    return {
        "method": request.method,
        "url": request.url,
        "body": json.loads(request.body),
        **{name.lower(): value for name, value in headers.items() if name.lower() not in IDENTITIES},
    }


def same_request(aws: AwsClients, service: str, method: str, parameters: dict[str, Any]) -> bool:
    """Tell whether the second call sends what a client of botocore sends."""
    theirs = get_session().create_client(service, config=CONFIG)
    ours = sent(getattr(aws, service), method, parameters, times=2)
    assert "pattern" in (ours.context or {})
    return shown(ours) == shown(sent(theirs, method, parameters, times=1))


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """One time for both, and botocore's JSON, which has blanks: its length and signature are another's."""
    monkeypatch.setattr("botocore.auth.get_current_datetime", now)
    monkeypatch.setattr(short_calls, "get_current_datetime", now)
    monkeypatch.setattr(short_calls, "_JSON", json.JSONEncoder(default=short_calls._JSON.default))  # noqa: SLF001


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize(("service", "method", "parameters"), CALLS, ids=[method for _, method, _ in CALLS])
def test_a_short_call_sends_the_request_of_botocore(
    aws: AwsClients, service: str, method: str, parameters: dict[str, Any]
) -> None:
    assert same_request(aws, service, method, parameters)


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:4566", "http://localhost:80"])
def test_a_short_call_goes_to_the_endpoint_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, aws: AwsClients, endpoint: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)

    assert same_request(aws, *CALLS[0])


@pytest.mark.usefixtures("frozen")
def test_a_key_without_a_session_signs_as_well(monkeypatch: pytest.MonkeyPatch, aws: AwsClients) -> None:
    monkeypatch.delenv("AWS_SESSION_TOKEN")

    assert same_request(aws, *CALLS[0])


def test_a_call_that_botocore_makes_up_a_token_for_stays_botocores(aws: AwsClients) -> None:
    recorder = Recorder(aws.dynamodb)
    for _ in range(3):
        aws.dynamodb.transact_write_items(TransactItems=[])

    tokens = {json.loads(each.body)["ClientRequestToken"] for each in recorder.requests}
    assert len(tokens) == 3


def test_each_call_has_an_identity_and_the_token_of_now(
    aws: AwsClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(aws.dynamodb)
    for number in range(3):
        monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={number}")
        aws.dynamodb.get_item(TableName="t", Key={})

    assert len({each.headers["amz-sdk-invocation-id"] for each in recorder.requests}) == 3
    traces = [each.headers["X-Amzn-Trace-Id"] for each in recorder.requests]
    assert [t.decode() if isinstance(t, bytes) else t for t in traces] == ["Root=0", "Root=1", "Root=2"]


def short(aws: AwsClients) -> Recorder:
    """Make the first call of each operation."""
    for client, call in (
        (aws.dynamodb, lambda: aws.dynamodb.put_item(TableName="t", Item=ITEM)),
        (aws.sqs, lambda: aws.sqs.send_message(QueueUrl=QUEUE, MessageBody="m")),
    ):
        recorder = Recorder(client)
        call()
        client.meta.events.unregister("before-send", unique_id="recorder")
    return recorder


def put(aws: AwsClients) -> Any:
    return aws.dynamodb.put_item(TableName="t", Item=ITEM)


def test_a_try_that_fails_is_repeated_with_a_signature_of_its_own(aws: AwsClients) -> None:
    short(aws)
    recorder = Recorder(aws.dynamodb)
    recorder.responses = [
        (500, {}, b""),
        EndpointConnectionError(endpoint_url="https://dynamodb"),
        (200, {"x-amzn-requestid": "id"}, b'{"Attributes":{"a":{"S":"b"}}}'),
    ]

    response = put(aws)

    assert response["Attributes"] == {"a": {"S": "b"}}
    assert response["ResponseMetadata"]["RetryAttempts"] == 2
    assert [each.headers["amz-sdk-request"] for each in recorder.requests] == [
        f"attempt={number}; max=3" for number in (1, 2, 3)
    ]
    assert len({each.headers["amz-sdk-invocation-id"] for each in recorder.requests}) == 1


def test_a_call_that_keeps_failing_ends_after_three_tries(aws: AwsClients) -> None:
    short(aws)
    recorder = Recorder(aws.dynamodb)
    recorder.responses = [EndpointConnectionError(endpoint_url="https://dynamodb")] * 9

    with pytest.raises(EndpointConnectionError):
        put(aws)

    assert len(recorder.requests) == 3


REFUSED = b'{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"no"}'
GONE = b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no"}'


@pytest.mark.parametrize(
    ("call", "response", "code"),
    [
        (put, (400, {}, REFUSED), "ConditionalCheckFailedException"),
        (
            lambda aws: aws.sqs.send_message(QueueUrl=QUEUE, MessageBody="m"),
            (400, {"x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender"}, GONE),
            "AWS.SimpleQueueService.NonExistentQueue",
        ),
    ],
    ids=["dynamodb", "sqs"],
)
def test_an_error_is_botocores(
    aws: AwsClients,
    call: Callable[[AwsClients], Any],
    response: tuple[int, dict[str, str], bytes],
    code: str,
) -> None:
    errors = []
    for _ in range(2):  # botocore's own call first
        for client in (aws.dynamodb, aws.sqs):
            Recorder(client).responses = [response]
        with pytest.raises(ClientError) as raised:
            call(aws)
        errors.append(raised.value)
        for client in (aws.dynamodb, aws.sqs):
            client.meta.events.unregister("before-send", unique_id="recorder")

    first, second = errors
    assert first.response["Error"]["Code"] == second.response["Error"]["Code"] == code
    assert (type(second), str(second)) == (type(first), str(first))


def test_a_throttled_call_is_tried_again(aws: AwsClients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    short(aws)
    recorder = Recorder(aws.dynamodb)
    recorder.responses = [(400, {}, REFUSED.replace(b"ConditionalCheckFailed", b"Throttling"))]

    put(aws)

    assert len(recorder.requests) == 2


def test_no_try_begins_without_time_for_it() -> None:
    left = [NEEDED_SECONDS + 1]
    aws = AwsClients(time_left=lambda: left[0])
    short(aws)
    recorder = Recorder(aws.dynamodb)
    left[0] = NEEDED_SECONDS - 1

    with pytest.raises(OutOfTimeError):
        put(aws)

    assert recorder.requests == []
