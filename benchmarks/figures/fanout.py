"""The whole handler of functions/fanout on batches of 10 events of 2 KB that one webhook wants.

It has read the index before. Measured against `json.loads` and `json.dumps` of each event. AWS is stubbed
twice: at the client (what is ours), and at the wire (with all that botocore does for two calls).
"""

import json
from typing import Any

from benchmarks import event_path, wire
from benchmarks.figure import Goal, Measured, Reading
from benchmarks.pairs import Work, cpu_ratios
from local.progress import Progress

TITLE = "Fan-out: CPU per event"
AGAINST = "`json.loads` and `json.dumps` of the same batch"
GOAL = Goal(3)
BATCH = 10  # events
BATCHES = 100  # in one run


def measure(progress: Progress) -> Measured:
    """Measure with AWS stubbed at the client and at the wire."""
    readings = []
    batch = event_path.events_batch(BATCH)
    for name, goal in (("AWS stubbed at the client", GOAL), ("AWS stubbed at the wire", None)):
        with progress.step(name):
            subject = _fan_out(batch, at_the_wire=goal is None)
            readings.append(Reading(name, cpu_ratios(subject, _json(batch)), goal=goal))
    return Measured(readings)


def _fan_out(batch: dict[str, Any], *, at_the_wire: bool) -> Work:
    app = event_path.function("fanout")
    aws = app.fanout._lane._aws
    responses = event_path.fanout_answers([event_path.webhook(1, "https://example.com/hook")])
    if at_the_wire:
        wire.attach(aws, wire.canned(responses))
    else:
        aws._clients = {"dynamodb": _Client(responses), "sqs": _Client(responses)}

    def subject() -> int:
        for _ in range(BATCHES):
            response = app.lambda_handler(batch, None)
            if response["batchItemFailures"]:
                raise AssertionError(response)
        return BATCHES * BATCH

    return subject


class _Client:
    """A client whose every operation has one answer, read once."""

    def __init__(self, responses: dict[str, bytes]) -> None:
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
