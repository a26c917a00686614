"""The whole handler of functions/fanout on batches of 10 events of 2 KB that one webhook wants.

It has read the index before. Measured against `json.loads` and `json.dumps` of each event. AWS is stubbed
twice: at the client (our own code), and below botocore (with all that botocore does for three calls).
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import event_path
from benchmarks.figure import Goal, Measured, Reading
from benchmarks.paired import Work, cpu_ratios
from local.progress import Progress
from tests.aws_stub.responses import canned, stub_aws
from tests.aws_stub.wrapped_clients import WrappedClients
from webhooks.adapters.aws.clients import AwsClients
from webhooks.bootstrap.fanout import compose

TITLE = "Fan-out: CPU per event"
AGAINST = "`json.loads` and `json.dumps` of the same batch"
BOUND = """\
Nearly half of an event's CPU is reading it: its data is parsed with exact decimals, and copied as it was sent
without the space between its parts. The rest is matching, its mark, its delivery's place in a pack, and its
share of the batch's calls and log line."""
GOAL = Goal(3)
BATCH = 10  # events
BATCHES = 100  # in one run


def measure(progress: Progress) -> Measured:
    readings = []
    batch = event_path.events_batch(BATCH)
    for name, stub, goal in (
        ("AWS stubbed at the client", stub_clients, GOAL),
        ("AWS stubbed below botocore", stub_botocore, None),
    ):
        with progress.step(name):
            subject = fan_out(batch, stub)
            readings.append(Reading(name, cpu_ratios(subject, _json(batch)), goal=goal))
    return Measured(readings)


type Responses = Mapping[str, bytes]


def stub_clients(aws: AwsClients, responses: Responses) -> AwsClients:
    client = _CannedClient(responses)
    return WrappedClients(aws, lambda _: client)


def stub_botocore(aws: AwsClients, responses: Responses) -> AwsClients:
    stub_aws(aws, canned(responses))
    return aws


def fan_out(batch: dict[str, Any], stub: Callable[[AwsClients, Responses], AwsClients]) -> Work:
    function = event_path.function("fanout")
    responses = event_path.fanout_responses([event_path.webhook(1, "https://example.com/hook")])
    handle = function.handler(compose(aws=stub(function.app.aws, responses)))
    event_path.discard_log()

    def subject() -> int:
        for _ in range(BATCHES):
            response = handle(batch, None)
            if response["batchItemFailures"]:
                raise AssertionError(response)
        return BATCHES * BATCH

    return subject


class _CannedClient:
    """A client whose every operation has one response, read once."""

    def __init__(self, responses: Responses) -> None:
        self._responses = {operation.lower(): json.loads(body) for operation, body in responses.items()}

    def __getattr__(self, operation: str) -> Any:
        response = self._responses[operation.replace("_", "")]
        return lambda **_: response


def _json(batch: dict[str, Any]) -> Work:
    texts = [record["body"] for record in batch["Records"]]

    def baseline() -> int:
        for _ in range(BATCHES):
            for text in texts:
                json.dumps(json.loads(text))
        return BATCHES * BATCH

    return baseline
