"""AWS clients that fail where a test says so: instead of an operation, or after it took effect."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from tests.aws_stub.wrapped_clients import WrappedClients
from webhooks.adapters.aws.clients import AwsClients

# Takes the real operation and its request; responds or raises in its place.
type Replacement = Callable[[Callable[..., Any], Mapping[str, Any]], Any]


class FaultyClients(WrappedClients):
    """Clients of another, with some operations replaced: by name, each once per replacement in the list."""

    def __init__(self, real: AwsClients, **replacements: list[Replacement]) -> None:
        super().__init__(real, lambda client: _Faulty(client, self))
        self.replacements = replacements
        self.calls: list[str] = []


class _Faulty:
    def __init__(self, client: Any, clients: FaultyClients) -> None:
        self._client = client
        self._clients = clients

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._client, name)

        def call(**request: Any) -> Any:
            self._clients.calls.append(name)
            replacements = self._clients.replacements.get(name)
            return replacements.pop(0)(real, request) if replacements else real(**request)

        return call


def works(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
    """Take effect and respond."""
    return real(**request)


def lose_response(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
    """Take effect; the response is lost."""
    real(**request)
    raise ReadTimeoutError(endpoint_url="http://127.0.0.1")


def time_out(_real: Callable[..., Any], _request: Mapping[str, Any]) -> Any:
    """Time out before the request arrives."""
    raise ReadTimeoutError(endpoint_url="http://127.0.0.1")


def repeat(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
    """Take effect, then be sent once more: a client's own retry after a lost response."""
    real(**request)
    return real(**request)


def fail(code: str) -> Replacement:
    """Respond with an error of AWS."""

    def replacement(_real: Callable[..., Any], _request: Mapping[str, Any]) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "the request: SECRET"}}, "Operation")

    return replacement


def cancel(*codes: str) -> Replacement:
    """Cancel a transaction, with a reason for each of its first actions."""

    def replacement(_real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        reasons: list[Any] = [{"Code": code} for code in (*codes, *["None"] * len(request["TransactItems"]))]
        raise ClientError(
            {
                "Error": {"Code": "TransactionCanceledException", "Message": "the request: SECRET"},
                "CancellationReasons": reasons[: len(request["TransactItems"])],
            },
            "TransactWriteItems",
        )

    return replacement


def after(action: Callable[[], object]) -> Replacement:
    """Do something just before the operation."""

    def replacement(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        action()
        return real(**request)

    return replacement


def forever(replacement: Replacement) -> list[Replacement]:
    """Return a list of replacements without end."""

    class Endless(list[Replacement]):
        def __init__(self) -> None:
            super().__init__([replacement])

        def pop(self, _index: Any = -1) -> Replacement:
            return replacement

        def __iter__(self) -> Iterator[Replacement]:
            raise NotImplementedError

    return Endless()
