"""Calls of DynamoDB and Secrets Manager for whole tables: paged, in batches, repeated while AWS is busy."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from webhooks_cli.aws import BUSY_CODES, aws_errors
from webhooks_cli.backup.webhook_items import Item
from webhooks_cli.errors import UnreachableError

WRITES, READS = 25, 100  # of one call
TRIES = 10  # each after twice the time of the one before: two minutes in all
FIRST_SECONDS, LONGEST_SECONDS = 0.2, 30.0
BUSY = (*BUSY_CODES, "LimitExceededException", "RequestLimitExceeded", "TooManyRequestsException")


class Calls:
    """Makes calls, and so many at the same time. `sleep` waits between tries."""

    def __init__(self, workers: int, sleep: Callable[[float], None] = time.sleep) -> None:
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None
        self._sleep = sleep

    def __enter__(self) -> "Calls":  # noqa: PYI034 - typing.Self is newer than 3.10
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def each(self, work: Callable[..., Any], arguments: Iterable[Any]) -> list[Any]:
        """Do the work for each argument, several at the same time; return the results in order."""
        return list((self._pool.map if self._pool else map)(work, arguments))

    def call(
        self, operation: str, method: Callable[..., Any], passed: Sequence[str] = (), **request: Any
    ) -> Any:
        """Call AWS, again while it is busy; return None for an error whose code is one of `passed`.

        Raises CliError.
        """
        from botocore.exceptions import ClientError  # noqa: PLC0415 - as in aws.py

        for seconds in self._waits():
            try:
                with aws_errors(operation):
                    try:
                        return method(**request)
                    except ClientError as error:
                        code = error.response.get("Error", {}).get("Code", "")
                        if code in passed:
                            return None
                        if code not in BUSY or seconds is None:
                            raise
            except UnreachableError:
                if seconds is None:
                    raise
            self._sleep(seconds)
        raise AssertionError("unreachable: the last try returns or raises")

    def pages(self, operation: str, method: Callable[..., Any], **request: Any) -> Iterator[Item]:
        """Return the items of all pages of a Scan or Query."""
        while True:
            page = self.call(operation, method, **request)
            yield from page["Items"]
            if not page.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def get_many(self, dynamodb: Any, table: str, keys: Sequence[Item]) -> list[Item]:
        """Return the items that exist, in any order."""
        found: list[Item] = []
        for at in range(0, len(keys), READS):
            asked: Any = {table: {"Keys": keys[at : at + READS], "ConsistentRead": True}}
            for seconds in self._waits():
                response = self.call("dynamodb BatchGetItem", dynamodb.batch_get_item, RequestItems=asked)
                found += response["Responses"].get(table, [])
                asked = response.get("UnprocessedKeys")
                if not asked:
                    break
                self._wait("dynamodb BatchGetItem", seconds)
        return found

    def write(self, dynamodb: Any, table: str, puts: Sequence[Item], deletes: Sequence[Item] = ()) -> None:
        """Write and delete items, whose keys differ, in any order."""
        requests = [{"PutRequest": {"Item": item}} for item in puts]
        requests += [{"DeleteRequest": {"Key": key}} for key in deletes]
        chunks = [requests[at : at + WRITES] for at in range(0, len(requests), WRITES)]
        self.each(lambda chunk: self._write(dynamodb, table, chunk), chunks)

    def _write(self, dynamodb: Any, table: str, requests: Sequence[Mapping[str, Any]]) -> None:
        for seconds in self._waits():
            response = self.call(
                "dynamodb BatchWriteItem", dynamodb.batch_write_item, RequestItems={table: requests}
            )
            requests = response.get("UnprocessedItems", {}).get(table, [])
            if not requests:
                return
            self._wait("dynamodb BatchWriteItem", seconds)

    def _wait(self, operation: str, seconds: "float | None") -> None:
        if seconds is None:
            raise UnreachableError(f"{operation}: items are left unprocessed; run the command again")
        self._sleep(seconds)

    @staticmethod
    def _waits() -> Iterator["float | None"]:
        """Yield the time to wait after each try, None for the last one."""
        seconds = FIRST_SECONDS
        for _ in range(TRIES):
            yield min(seconds, LONGEST_SECONDS)
            seconds *= 2
        yield None
