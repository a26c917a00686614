"""The emulator's own cost: two functions that do next to nothing, behind two queues.

The first sends each record's body on, the second posts it. Their mappings are the service's, batch size and
concurrency included. Each logs a line: the emulator waits 50 ms for the log of a function that writes none.
"""

import io
import zipfile
from typing import Any

from benchmarks.recording_receiver import HOOK, RecordingReceiver
from local.stack import Stack

FORWARD = """
import os
import boto3

sqs = boto3.client("sqs")


def handler(event, _context):
    entries = [{"Id": str(n), "MessageBody": each["body"]} for n, each in enumerate(event["Records"])]
    sqs.send_message_batch(QueueUrl=os.environ["NEXT"], Entries=entries)
    print(len(entries))
    return {"batchItemFailures": []}
"""
POST = """
import http.client, os

connection = http.client.HTTPConnection(os.environ["HOST"], int(os.environ["PORT"]))


def handler(event, _context):
    for each in event["Records"]:
        connection.request("POST", os.environ["HOOK"], each["body"], {"Content-Type": "application/json"})
        connection.getresponse().read()
    print(len(event["Records"]))
    return {"batchItemFailures": []}
"""
ROLE = "arn:aws:iam::000000000000:role/baseline"
LIKE = {"baseline-forward": "EventsQueueUrl", "baseline-post": "DeliveriesQueueUrl"}


def deploy(stack: Stack, receiver: RecordingReceiver) -> str:
    """Create functions and queues in the stack's emulator; return the first queue's URL."""
    sqs = stack.client("sqs")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in LIKE}
    host, port = receiver.url.removeprefix("http://").split(":")
    _function(stack, "baseline-forward", FORWARD, {"NEXT": urls["baseline-post"]})
    _function(stack, "baseline-post", POST, {"HOST": host, "PORT": port, "HOOK": HOOK})
    for name, like in LIKE.items():
        attributes = sqs.get_queue_attributes(QueueUrl=urls[name], AttributeNames=["QueueArn"])["Attributes"]
        mapping = _mapping(stack, like)
        stack.client("lambda").create_event_source_mapping(
            FunctionName=name,
            EventSourceArn=attributes["QueueArn"],
            BatchSize=mapping["BatchSize"],
            FunctionResponseTypes=mapping["FunctionResponseTypes"],
            ScalingConfig=mapping["ScalingConfig"],
        )
    return str(urls["baseline-forward"])


def _function(stack: Stack, name: str, code: str, environment: dict[str, str]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", code)
    stack.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=ROLE,
        Handler="app.handler",
        Timeout=30,
        MemorySize=512,
        Code={"ZipFile": packed.getvalue()},
        Environment={"Variables": environment},
    )


def _mapping(stack: Stack, queue: str) -> dict[str, Any]:
    name = stack.outputs[queue].rpartition("/")[2]
    mappings = stack.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return next(each for each in mappings if each["EventSourceArn"].endswith(f":{name}"))
