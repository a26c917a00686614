"""The schedule that sends looks whose task was lost."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.recovery_functions import SCOPE, RecoveryFunctions, refused
from webhooks.domain.health import Health
from webhooks.domain.recovery_message import decode_task
from webhooks.domain.replay import WebhookCheck
from webhooks.domain.webhook import Webhook
from webhooks.entrypoints.invocation import Invocation
from webhooks.entrypoints.schedule import Schedule, ScheduledChecks
from webhooks.services.restarts import Restarted, Restarts

MINUTE = 60_000


def restarts(functions: RecoveryFunctions, time_left: Callable[[], float] = lambda: math.inf) -> Restarts:
    return Restarts(
        health=functions.subscriptions,
        subscriptions=functions.subscriptions,
        queue=functions.queue,
        clock=functions.clock,
        time_left=time_left,
    )


def looked_at(functions: RecoveryFunctions) -> list[str]:
    tasks = [decode_task(each.text) for each in functions.queue.queue.messages()]
    assert all(isinstance(task, WebhookCheck) and task.probe_at is None for task in tasks)
    return [task.webhook_id for task in tasks if isinstance(task, WebhookCheck)]


def made(functions: RecoveryFunctions, minutes: dict[str, int], **changes: Any) -> Webhook:
    """Make a webhook whose health has these times, so many minutes ago."""
    times: dict[str, Any] = {name: functions.now - ago * MINUTE for name, ago in minutes.items()}
    return functions.webhook(replace(Health(), **times), **changes)


@pytest.mark.parametrize(
    ("minutes", "changes", "waits"),
    [
        ({"failing_since": 9, "probe_at": 3}, {}, True),
        ({"failing_since": 9, "probe_at": 2}, {}, False),
        ({"failing_since": 9, "probe_at": -5}, {}, False),
        ({"held_since": 9, "probe_at": 3}, {}, True),
        ({"held_since": 9}, {}, True),  # its first probe was never asked for
        ({"failing_since": 9, "probe_at": 3}, {"paused": True}, False),
        ({"backlog_since": 9}, {}, True),
        ({"backlog_since": 99, "recovery_at": 11}, {}, True),
        ({"backlog_since": 99, "recovery_at": 9}, {}, False),
        ({"backlog_since": 9}, {"paused": True}, False),
        ({"backlog_since": 9, "failing_since": 9}, {"disabled": True}, True),
        ({"slow_since": 9}, {}, False),
        ({}, {"disabled": True}, False),
    ],
)
def test_a_webhook_whose_task_is_overdue_gets_one(
    minutes: dict[str, int], changes: dict[str, Any], *, waits: bool
) -> None:
    functions = RecoveryFunctions()
    webhook = made(functions, minutes, **changes)
    restarts(functions).run()
    assert looked_at(functions) == ([webhook.id] if waits else [])


@pytest.mark.parametrize(
    ("minutes", "failures", "waits"),
    [
        ({"backlog_since": 99, "recovery_at": 50, "probe_at": -5}, 3, False),
        ({"backlog_since": 99, "recovery_at": 50, "probe_at": 2}, 3, False),
        ({"backlog_since": 99, "recovery_at": 50, "probe_at": 3}, 3, True),
        ({"backlog_since": 99, "recovery_at": 50}, 3, True),  # its first probe was never asked for
        ({"backlog_since": 99, "recovery_at": 50, "probe_at": -5}, 2, True),  # a recovery is to begin
        ({"probe_at": 3}, 3, False),
    ],
)
def test_an_endpoint_that_failed_in_its_recovery_is_looked_at_once_its_probe_is_overdue(
    minutes: dict[str, int], failures: int, *, waits: bool
) -> None:
    functions = RecoveryFunctions()
    webhook = made(functions, minutes)
    functions.set_health(webhook, failures=failures)
    restarts(functions).run()
    assert looked_at(functions) == ([webhook.id] if waits else [])


def test_a_run_looks_at_all_of_them_page_by_page() -> None:
    functions = RecoveryFunctions()
    webhooks = [made(functions, {"held_since": 9}) for _ in range(230)]
    functions.subscriptions.corrupt(SCOPE, webhooks[7].id)
    assert restarts(functions).run() == Restarted(230, 229, is_whole=True)
    assert sorted(looked_at(functions)) == sorted(each.id for each in webhooks if each != webhooks[7])


def test_a_run_ends_with_its_time() -> None:
    functions = RecoveryFunctions()
    for _ in range(230):
        made(functions, {"held_since": 9})
    left = iter([300.0, 20.0, 19.9])
    assert restarts(functions, lambda: next(left)).run() == Restarted(200, 200, is_whole=False)


def test_a_look_that_cannot_be_sent_costs_no_other() -> None:
    functions = RecoveryFunctions()
    for _ in range(3):
        made(functions, {"held_since": 9})
    functions.faults.at(0, refused)
    assert restarts(functions).run() == Restarted(3, 2, is_whole=True)


class Cleanup:
    """Notes that it ran."""

    def handle(self, _event: Any, _context: object) -> dict[str, int]:
        return {"cleaned": 1}


@pytest.mark.parametrize(
    ("event", "result"),
    [
        ({"task": "checks"}, {"webhooks": 1, "sent": 1}),
        ({"source": "aws.events"}, {"cleaned": 1}),
        ({}, {"cleaned": 1}),
        (None, {"cleaned": 1}),
    ],
)
def test_the_input_of_the_schedule_decides_what_runs(event: Any, result: dict[str, int]) -> None:
    functions, invocation = RecoveryFunctions(), Invocation()
    made(functions, {"held_since": 9})
    checks = ScheduledChecks(restarts(functions, invocation.left), invocation, count_tenants=lambda: 1)
    cleanup: Any = Cleanup()
    assert Schedule(cleanup=cleanup, checks=checks).handle(event, None) == result
