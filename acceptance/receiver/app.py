"""A receiver behind HTTPS: stores each request and responds as a test's script says. It verifies nothing.

Its paths are /<session>/<path>. The table has the scripts of a session and the requests to it:
(session, `script#<path>`) with the responses as JSON, and (session, `request#<time>#<id>`).
"""

import base64
import json
import os
import time
import uuid
import zlib
from typing import Any
from urllib.parse import urlencode

import boto3

TABLE = boto3.resource("dynamodb").Table(os.environ["TABLE"])
KEPT_SECONDS = 86_400
WAIT_SECONDS = 20.0
CHUNK = 350_000  # bytes: an item has 400 KB at most
ANY = "*"  # the script of all paths that have none
PLAIN = {"status": 200, "body": "", "headers": {}, "delay": 0}


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Store a request of API Gateway; respond by its script."""
    at = time.time()
    session, _, path = event["path"].lstrip("/").partition("/")
    target = f"/{path}"
    if query := event.get("multiValueQueryStringParameters"):
        target += "?" + urlencode(query, doseq=True)
    body = event.get("body") or ""
    data = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    _store(session, event, target=target, data=data, at=at)
    script = _script(session, target)
    time.sleep(min(float(script["delay"]), WAIT_SECONDS))
    return {"statusCode": script["status"], "headers": script["headers"], "body": script["body"]}


def _store(session: str, event: dict[str, Any], *, target: str, data: bytes, at: float) -> None:
    packed = zlib.compress(data)
    chunks = [packed[start : start + CHUNK] for start in range(0, len(packed), CHUNK)]
    key = f"request#{at:017.6f}#{uuid.uuid4().hex}"
    expires = int(at) + KEPT_SECONDS
    for number, chunk in reversed(list(enumerate(chunks[1:], 1))):
        TABLE.put_item(
            Item={"pk": f"{session}#body", "sk": f"{key}#{number}", "body": chunk, "expiresAt": expires}
        )
    TABLE.put_item(
        Item={
            "pk": session,
            "sk": key,
            "method": event["httpMethod"],
            "target": target,
            "headers": json.dumps(event.get("multiValueHeaders") or {}),
            "body": chunks[0],
            "chunks": len(chunks),
            "expiresAt": expires,
        }
    )


def _script(session: str, target: str) -> dict[str, Any]:
    """Return the next response of the script: each once, in order, the last one from then on."""
    for path in (target, ANY):
        key = {"pk": session, "sk": f"script#{path}"}
        if "Item" not in TABLE.get_item(Key=key, ConsistentRead=True):
            continue
        counted: Any = TABLE.update_item(
            Key=key,
            UpdateExpression="ADD used :one",
            ExpressionAttributeValues={":one": 1},
            ReturnValues="ALL_NEW",
        )["Attributes"]
        responses = json.loads(counted["responses"])
        found: dict[str, Any] = responses[min(int(counted["used"]), len(responses)) - 1]
        return PLAIN | found
    return dict(PLAIN)
