"""AWS clients that fail where a test says so: instead of an operation, or after it took effect."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from webhooks.adapters.aws.clients import AwsClients

# Gets the real operation and its request; answers or raises in its place.
type Replacement = Callable[[Callable[..., Any], Mapping[str, Any]], Any]


class FaultyClients(AwsClients):
    """Clients of another, with some operations replaced: by name, each once per replacement in the list."""

    def __init__(self, real: AwsClients, **replacements: list[Replacement]) -> None:
        super().__init__(time_left=lambda: math.inf)
        self._real = real
        self._replacements = replacements
        self.calls: list[str] = []

    def _client(self, service: str) -> Any:
        return _Faulty(self._real._client(service), self._replacements, self.calls)


class _Faulty:
    def __init__(self, client: Any, replacements: dict[str, list[Replacement]], calls: list[str]) -> None:
        self._client = client
        self._replacements = replacements
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._client, name)

        def call(**request: Any) -> Any:
            self._calls.append(name)
            replacements = self._replacements.get(name)
            return replacements.pop(0)(real, request) if replacements else real(**request)

        return call


def works(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
    """Do what was asked."""
    return real(**request)


def lose_answer(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
    """Take effect, and let the caller never know."""
    real(**request)
    raise ReadTimeoutError(endpoint_url="http://127.0.0.1")


def time_out(_real: Callable[..., Any], _request: Mapping[str, Any]) -> Any:
    """Never get there."""
    raise ReadTimeoutError(endpoint_url="http://127.0.0.1")


def repeat(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
    """Take effect, then be sent once more: a client's own retry after a lost answer."""
    real(**request)
    return real(**request)


def fail(code: str) -> Replacement:
    """Answer with an error of AWS."""

    def replacement(_real: Callable[..., Any], _request: Mapping[str, Any]) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "the request: SECRET"}}, "Operation")

    return replacement


def cancel(*codes: str) -> Replacement:
    """Cancel a transaction, with a reason for each of its first actions."""

    def replacement(_real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        reasons = [{"Code": code} for code in (*codes, *["None"] * len(request["TransactItems"]))]
        raise ClientError(
            {
                "Error": {"Code": "TransactionCanceledException", "Message": "the request: SECRET"},
                "CancellationReasons": reasons[: len(request["TransactItems"])],
            },
            "TransactWriteItems",
        )

    return replacement


def after(action: Callable[[], object]) -> Replacement:
    """Let something happen just before the operation."""

    def replacement(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        action()
        return real(**request)

    return replacement


def forever(replacement: Replacement) -> list[Replacement]:
    """Return a list of replacements that does not end."""

    class Endless(list[Replacement]):
        def __init__(self) -> None:
            super().__init__([replacement])

        def pop(self, _index: Any = -1) -> Replacement:
            return replacement

        def __iter__(self) -> Iterator[Replacement]:
            raise NotImplementedError

    return Endless()
