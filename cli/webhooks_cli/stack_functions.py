"""A stack's functions as they are called: live version, concurrency, queues and schedules; for operators."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from webhooks_cli.aws import Account, aws_errors

ALIAS = "live"
LATEST = "$LATEST"
REFUSED = "rolled back from "  # an alias's description; 256 characters at most
REFUSED_MAX = 20
FUNCTION, MAPPING, RULE = "AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping", "AWS::Events::Rule"
WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
OFFSET = re.compile(r"(Z|[+-]00:?00)$")  # of UTC; Python 3.10 reads only +00:00

Resources = Sequence[tuple[str, str, str]]  # type, logical id, physical id
Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Version:
    """A published version; `published_at` in epoch seconds."""

    number: str
    published_at: float


@dataclass(frozen=True, slots=True)
class Caller:
    """What calls a function beside the API: a queue's mapping or a schedule's rule, by its id."""

    id: str
    name: str
    is_schedule: bool
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class FunctionState:
    """A function; `name` as the log groups have it. `canary`: the share of each other version that is called.

    `reserved`: its reserved concurrency, None without one. `versions`: the oldest first. `refused`: versions
    that a rollback has left; the alias's description has them.
    """

    name: str
    id: str
    live: str
    canary: dict[str, float]
    reserved: int | None
    versions: Sequence[Version]
    callers: Sequence[Caller] = field(default=())
    refused: frozenset[str] = frozenset()

    @property
    def newest(self) -> str:
        return self.versions[-1].number if self.versions else self.live

    def version(self, number: str) -> Version | None:
        return next((each for each in self.versions if each.number == number), None)

    def document(self) -> dict[str, Any]:
        return {
            "function": self.name,
            "id": self.id,
            "live": self.live,
            "newest": self.newest,
            "canary": self.canary,
            "rolledBackFrom": sorted(self.refused, key=int),
            "reservedConcurrency": self.reserved,
            "callers": [
                {
                    "id": each.id,
                    "name": each.name,
                    "kind": "schedule" if each.is_schedule else "queue",
                    "enabled": each.is_enabled,
                }
                for each in self.callers
            ],
        }


def stack_resources(account: Account, stack: str) -> Resources:
    """List a stack's resources. Raises CliError."""
    with aws_errors("cloudformation ListStackResources"):
        pages = (
            account.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        )
        return [
            (each["ResourceType"], each["LogicalResourceId"], each.get("PhysicalResourceId", ""))
            for page in pages
            for each in page["StackResourceSummaries"]
        ]


def function_states(account: Account, resources: Resources, advance: Advance) -> list[FunctionState]:
    """Read each function of the stack; `advance` is told how many of them are read. Raises CliError."""
    functions = [
        (logical, physical)
        for kind, logical, physical in resources
        if kind == FUNCTION and f"{logical}Alias{ALIAS}" in {each for _, each, _ in resources}
    ]
    states = []
    for number, (logical, physical) in enumerate(functions):
        advance(number, len(functions))
        states.append(_state(account, logical, physical, tuple(_callers(account, resources, logical))))
    return states


def function_name(logical_id: str) -> str:
    """Return a function's name by its logical id: `test_event` of TestEventFunction."""
    return WORDS.sub("_", logical_id.removesuffix("Function")).lower()


def refused_in(description: str) -> frozenset[str]:
    """Read the versions that rollbacks have left from an alias's description."""
    begin, _, numbers = description.partition(REFUSED)
    return frozenset(each for each in numbers.split() if each.isdigit()) if not begin else frozenset()


def description_of(refused: frozenset[str]) -> str:
    """Write them, the newest of them where not all fit."""
    newest = sorted(refused, key=int)[-REFUSED_MAX:]
    return f"{REFUSED}{' '.join(newest)}"


def _state(account: Account, logical: str, physical: str, callers: Sequence[Caller]) -> FunctionState:
    with aws_errors("lambda GetAlias"):
        alias = account.client("lambda").get_alias(FunctionName=physical, Name=ALIAS)
    with aws_errors("lambda GetFunctionConcurrency"):
        concurrency = account.client("lambda").get_function_concurrency(FunctionName=physical)
    weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights") or {}
    return FunctionState(
        name=function_name(logical),
        id=physical,
        live=alias["FunctionVersion"],
        canary=dict(weights),
        reserved=concurrency.get("ReservedConcurrentExecutions"),
        versions=tuple(sorted(_versions(account, physical), key=lambda each: int(each.number))),
        callers=callers,
        refused=refused_in(alias.get("Description", "")),
    )


def _versions(account: Account, physical: str) -> Iterator[Version]:
    with aws_errors("lambda ListVersionsByFunction"):
        pages = (
            account.client("lambda")
            .get_paginator("list_versions_by_function")
            .paginate(FunctionName=physical)
        )
        for page in pages:
            for each in page["Versions"]:
                if each["Version"] != LATEST:
                    yield Version(each["Version"], _epoch(each["LastModified"]))


def _callers(account: Account, resources: Resources, logical: str) -> Iterator[Caller]:
    for kind, id_, physical in resources:
        if not id_.startswith(logical):
            continue
        name = function_name(id_.removeprefix(logical))
        if kind == MAPPING:
            with aws_errors("lambda GetEventSourceMapping"):
                found = account.client("lambda").get_event_source_mapping(UUID=physical)
            enabled = found["State"] in {"Enabled", "Enabling", "Creating", "Updating"}
            yield Caller(physical, name, is_schedule=False, is_enabled=enabled)
        elif kind == RULE:
            with aws_errors("events DescribeRule"):
                found = account.client("events").describe_rule(Name=physical)
            yield Caller(physical, name, is_schedule=True, is_enabled=found["State"] != "DISABLED")


def _epoch(text: str) -> float:
    return datetime.fromisoformat(OFFSET.sub("+00:00", text)).timestamp()
