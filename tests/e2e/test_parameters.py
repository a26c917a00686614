"""A deployment with other parameters alone: the functions that are called work by the new values."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.stack import Stack
from tests.e2e import logs, permissions
from tests.e2e.platform_client import PlatformClient

pytestmark = pytest.mark.local_only(
    "it deploys by the local stack; the acceptance run has a check of its own"
)

CHANGED = {"RetryDelays": "3,4", "AllowedNetworks": "127.0.0.1/8,10.0.0.0/8", "LogLevel": "ERROR"}
READ_BY = {
    "DispatcherFunction": {
        "RETRY_DELAYS": "3,4",
        "ALLOWED_NETWORKS": "127.0.0.1/8,10.0.0.0/8",
        "POWERTOOLS_LOG_LEVEL": "ERROR",
    },
    "WebhooksFunction": {"ALLOWED_NETWORKS": "127.0.0.1/8,10.0.0.0/8", "POWERTOOLS_LOG_LEVEL": "ERROR"},
    "FanoutFunction": {"POWERTOOLS_LOG_LEVEL": "ERROR"},
}
SECONDS = 20.0


def live(stack: Stack, function: str) -> dict[str, str]:
    """Return the environment that a function is called with."""
    name = permissions.physical_id(stack, function)
    found = stack.client("lambda").get_function_configuration(FunctionName=name, Qualifier="live")
    variables: dict[str, str] = found["Environment"]["Variables"]
    return variables


def logged(stack: Stack, group: str, *, since: float) -> list[dict[str, Any]]:
    """Return the lines of a function's log from a time on."""
    found = logs.lines(stack, permissions.physical_id(stack, group), since=since)
    return [json.loads(line) for line in found if line.startswith("{")]


@pytest.fixture(scope="module")
def changed(stack: Stack) -> Iterator[Stack]:
    """The stack with other parameters, and as it was again after the tests."""
    permissions.deploy(Stack(stack.folder, port=stack.port, parameters=CHANGED))
    yield stack
    permissions.deploy(stack)


@pytest.mark.parametrize("function", READ_BY)
def test_a_changed_parameter_reaches_the_version_that_is_called(changed: Stack, function: str) -> None:
    assert live(changed, function).items() >= READ_BY[function].items()


def test_metrics_are_written_at_level_error_and_lower_lines_are_not(
    changed: Stack, system: PlatformClient
) -> None:
    began = time.time()
    assert system.call("GET", "webhook/none/secret").status == 404

    until = time.monotonic() + SECONDS
    while not (lines := logged(changed, "WebhooksLogs", since=began)) and time.monotonic() < until:
        time.sleep(0.3)

    requests = [line for line in lines if line.get("message") == "request.completed"]
    assert [line["ClientErrors"] for line in requests] == [1]
    assert [line for line in lines if line.get("level") in {"DEBUG", "INFO"} and "_aws" not in line] == []


def test_the_values_before_are_back_after_another_deployment(changed: Stack) -> None:
    permissions.deploy(changed)  # by the parameters of conftest.py

    assert live(changed, "DispatcherFunction")["RETRY_DELAYS"] == "1,2"
    assert live(changed, "FanoutFunction")["POWERTOOLS_LOG_LEVEL"] == "INFO"
