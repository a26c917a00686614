"""No AWS call outlasts the invocation: a try begins only while there is time for it."""

import math
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

from webhooks.adapters.aws.clients import NEEDED_SECONDS, AwsClients
from webhooks.adapters.aws.errors import unavailable
from webhooks.domain.errors import UnavailableError
from webhooks.entrypoints.invocation import Invocation


def test_the_time_left_is_that_of_lambda_and_passes() -> None:
    now = [100.0]
    invocation = Invocation(monotonic=lambda: now[0])
    assert invocation.left() == math.inf
    invocation.begin(SimpleNamespace(get_remaining_time_in_millis=lambda: 25_000))
    now[0] += 5
    assert invocation.left() == 20


def test_an_invocation_without_a_context_has_no_end() -> None:
    invocation = Invocation()
    invocation.begin(None)
    assert invocation.left() == math.inf


@mock_aws
@pytest.mark.parametrize(("left", "sent"), [(NEEDED_SECONDS, 1), (NEEDED_SECONDS - 0.1, 0)])
def test_a_call_without_enough_time_left_is_not_sent(
    left: float, sent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    url = boto3.client("sqs").create_queue(QueueName="events")["QueueUrl"]
    aws = AwsClients(time_left=lambda: left)
    try:
        with unavailable("sqs SendMessage"):
            aws.sqs.send_message(QueueUrl=url, MessageBody="{}")
    except UnavailableError as error:
        assert str(error) == "sqs SendMessage: OutOfTimeError"
    count = boto3.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert int(count["ApproximateNumberOfMessages"]) == sent
