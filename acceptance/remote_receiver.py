"""The receiver of tests in an account: a session of the deployed one, used as `tests.receiver` is."""

import json
import secrets
import time
import zlib
from collections.abc import Sequence
from typing import Any, Self

from acceptance.account import Account
from acceptance.deployed import Deployed
from tests.receiver_scripts import Received, Reply, Script

POLL_SECONDS, EMULATOR_POLL_SECONDS = 1.0, 0.2
ANY = "*"  # the script of all paths that have none, as in receiver/app.py


class RemoteReceiver:
    """One session, with requests and scripts of its own. Scripts are replies alone."""

    def __init__(self, account: Account, stack: str) -> None:
        self._deployed = Deployed(account, stack)
        self._session = secrets.token_hex(12)
        self._pause = EMULATOR_POLL_SECONDS if account.is_emulator else POLL_SECONDS

    @property
    def url(self) -> str:
        """The session's own address; append a path."""
        return f"{self._deployed.api_url}/{self._session}"

    def script(self, *scripts: Script, path: str | None = None) -> None:
        """Set the replies of a path, or of all others: each once, in order, the last one from then on."""
        responses = []
        for script in scripts:
            if not isinstance(script, Reply):
                raise TypeError(f"{script} needs a connection of its own: mark the test with local_only")
            responses.append(
                {
                    "status": script.status,
                    "body": script.body.decode(),
                    "headers": script.headers,
                    "delay": script.delay,
                }
            )
        self._table.put_item(
            TableName=self._table_name,
            Item={
                "pk": {"S": self._session},
                "sk": {"S": f"script#{path or ANY}"},
                "responses": {"S": json.dumps(responses)},
                "used": {"N": "0"},
                "expiresAt": {"N": str(int(time.time()) + 86_400)},
            },
        )

    @property
    def requests(self) -> list[Received]:
        """The requests so far, in the order in which they came."""
        pages = self._table.get_paginator("query").paginate(
            TableName=self._table_name,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :request)",
            ExpressionAttributeValues={":pk": {"S": self._session}, ":request": {"S": "request#"}},
        )
        return [self._received(item) for page in pages for item in page["Items"]]

    def wait_for(self, count: int, *, seconds: float = 5.0, path: str | None = None) -> list[Received]:
        """Return the requests (to the path) once there are so many. Raises AssertionError in the end."""
        until = time.monotonic() + seconds
        while len(found := self._to(path)) < count:
            if time.monotonic() > until:
                raise AssertionError(f"{len(found)} of {count} requests came within {seconds} s")
            time.sleep(self._pause)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        """Leave the session to its expiry."""

    def _to(self, path: str | None) -> list[Received]:
        return [each for each in self.requests if path is None or each.path == path]

    def _received(self, item: dict[str, Any]) -> Received:
        key = item["sk"]["S"]
        packed: bytes = item["body"]["B"] + b"".join(self._chunks(key, int(item["chunks"]["N"])))
        headers = json.loads(item["headers"]["S"])
        return Received(
            item["method"]["S"],
            item["target"]["S"],
            tuple((name, value) for name, values in headers.items() for value in values),
            zlib.decompress(packed),
            0,
            float(key.split("#")[1]),
        )

    def _chunks(self, key: str, count: int) -> Sequence[bytes]:
        found = []
        for number in range(1, count):
            item_key = {"pk": {"S": f"{self._session}#body"}, "sk": {"S": f"{key}#{number}"}}
            found.append(self._table.get_item(TableName=self._table_name, Key=item_key)["Item"]["body"]["B"])
        return found

    @property
    def _table(self) -> Any:
        return self._deployed.client("dynamodb")

    @property
    def _table_name(self) -> str:
        return self._deployed.outputs["Requests"]
