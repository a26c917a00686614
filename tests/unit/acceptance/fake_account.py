"""An account of clients that tests make: each answers the calls that it was given, and notes all of them."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from acceptance.account import Account
from acceptance.names import TAG, Names

NAMES = Names("shop")
OWN = {TAG: "shop-acceptance"}


def missing(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{code}: it does not exist"}}, "call")


class FakeClient:
    """`calls`: by name, a value or a function of the request; a call without one is an error of the test."""

    def __init__(self, **calls: Any) -> None:
        self._calls = calls
        self.noted: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            self.noted.append((name, request))
            answer = self._calls[name]
            return answer(**request) if callable(answer) else answer

        return call

    def get_paginator(self, name: str) -> Any:
        client = self

        class Paginator:
            def paginate(self, **request: Any) -> Iterator[Any]:
                yield getattr(client, name)(**request)

        return Paginator()

    def get_waiter(self, _name: str) -> "FakeClient":
        return FakeClient(wait=None)


class FakeAccount(Account):
    def __init__(self, *, endpoint: str | None = None, functions: Any = None, **clients: Any) -> None:
        super().__init__("123456789012", "eu-central-1", "arn:aws:iam::123456789012:user/ann", endpoint)
        self.clients = clients | {"lambda": functions}

    def client(self, service: str) -> Any:
        return self.clients[service.replace("-", "_")]

    def noted(self, service: str, call: str) -> list[dict[str, Any]]:
        return [request for name, request in self.clients[service].noted if name == call]


def as_tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


class Stacks(FakeClient):
    """CloudFormation with stacks by name: (status, tags). A deletion deletes, unless it is told to fail."""

    def __init__(self, stacks: dict[str, tuple[str, dict[str, str]]], *, fails: bool = False) -> None:
        super().__init__(
            describe_stacks=self._describe, delete_stack=self._delete, list_stacks={"StackSummaries": []}
        )
        self.stacks = stacks
        self._fails = fails

    def _describe(self, StackName: str) -> Any:  # noqa: N803 - AWS's name
        name = StackName.removeprefix("id-of-")
        if name not in self.stacks:
            raise missing("ValidationError")
        status, tags = self.stacks[name]
        described = {"StackName": name, "StackId": f"id-of-{name}", "StackStatus": status}
        return {"Stacks": [described | {"Tags": as_tags(tags), "StackStatusReason": "in use"}]}

    def _delete(self, StackName: str) -> None:  # noqa: N803
        name = StackName.removeprefix("id-of-")
        ended = "DELETE_FAILED" if self._fails else "DELETE_COMPLETE"
        self.stacks[name] = (ended, self.stacks[name][1])
