"""The receiver of an account and its client: requests arrive whole, and responses follow the scripts."""

import importlib.util
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from acceptance.remote_receiver import RemoteReceiver
from local.paths import ROOT
from tests.receiver import reply, stall, token
from tests.unit.acceptance.fake_account import FakeAccount, FakeClient

TABLE = "requests"


class Lambda:
    """The function's code over a table of moto; `post` is a request of API Gateway."""

    def __init__(self, receiver: RemoteReceiver) -> None:
        path = ROOT / "acceptance" / "receiver" / "app.py"
        spec = importlib.util.spec_from_file_location("receiver_app", path)
        assert spec
        assert spec.loader
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self.slept: list[float] = []
        self.module.time.sleep = self.slept.append
        self.session = receiver.url.rpartition("/")[2]

    def post(self, path: str, body: str = "{}", **event: Any) -> Any:
        whole = {
            "path": f"/{self.session}{path}",
            "httpMethod": "POST",
            "body": body,
            "multiValueHeaders": {"webhook-id": ["1"], "X-Two": ["a", "b"]},
            **event,
        }
        return self.module.lambda_handler(whole, None)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteReceiver]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("TABLE", TABLE)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name="eu-central-1")
        dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        )
        url = "https://abc.execute-api.eu-central-1.amazonaws.com/receiver"
        outputs = [
            {"OutputKey": "ApiUrl", "OutputValue": url},
            {"OutputKey": "Requests", "OutputValue": TABLE},
        ]
        stacks = FakeClient(describe_stacks={"Stacks": [{"Outputs": outputs}]})
        account = FakeAccount(dynamodb=dynamodb, cloudformation=stacks)
        yield RemoteReceiver(account, "shop-acceptance-receiver")


def test_a_request_arrives_with_its_path_headers_and_body(receiver: RemoteReceiver) -> None:
    function = Lambda(receiver)

    function.post("/hook", '{"note":"ü"}', multiValueQueryStringParameters={"a": ["1"]})

    [request] = receiver.wait_for(1, seconds=0, path="/hook?a=1")
    assert (request.method, request.body.decode()) == ("POST", '{"note":"ü"}')
    assert (request.header("Webhook-Id"), dict(request.headers)["X-Two"]) == ("1", "b")
    assert receiver.requests == [request]


def test_scripts_are_given_in_order_and_the_last_one_from_then_on(receiver: RemoteReceiver) -> None:
    function = Lambda(receiver)
    receiver.script(reply(503, headers={"Retry-After": "7"}, delay=2.0), reply(410, b"gone"))
    receiver.script(token("tok-1"), path="/token")

    first, second, third = (function.post("/hook") for _ in range(3))

    assert (first["statusCode"], first["headers"], function.slept[0]) == (503, {"Retry-After": "7"}, 2.0)
    assert [(each["statusCode"], each["body"]) for each in (second, third)] == [(410, "gone")] * 2
    assert json.loads(function.post("/token")["body"])["access_token"] == "tok-1"
    assert [each.path for each in receiver.requests] == ["/hook"] * 3 + ["/token"]


def test_sessions_do_not_meet(receiver: RemoteReceiver) -> None:
    function = Lambda(receiver)
    function.session = "another"

    assert function.post("/hook")["statusCode"] == 200
    assert receiver.requests == []
    with pytest.raises(AssertionError, match="0 of 1 requests came"):
        receiver.wait_for(1, seconds=0)


def test_a_body_larger_than_an_item_arrives_whole(receiver: RemoteReceiver) -> None:
    function = Lambda(receiver)
    body = "".join(chr(33 + (n * n * 7919 + n) % 90) for n in range(900_000))

    function.post("/hook", body)

    assert receiver.requests[0].body.decode() == body


def test_a_script_that_needs_a_connection_is_refused(receiver: RemoteReceiver) -> None:
    with pytest.raises(TypeError, match="local_only"):
        receiver.script(stall)
