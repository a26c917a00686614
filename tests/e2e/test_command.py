"""The `webhooks` command against the deployed stack: the log, an explained event, a test, health, tail, dead letters."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local import stack_file
from local.stack import Stack
from tests.e2e.conftest import issue
from tests.e2e.platform_client import PlatformClient
from tests.e2e.test_delivery import publish, register
from tests.receiver import Receiver, reply
from tests.unit.cli.command_line import CommandLine, CommandResult

pytestmark = pytest.mark.local_only("the command reads the local stack's file")

SECONDS = 60.0


class Webhooks:
    """The command in a folder with the stack's names, at the present time."""

    def __init__(self, folder: Path, stack: Stack) -> None:
        self._line = CommandLine(folder)
        described = stack_file.describe(stack, {"system": issue(stack, "system")})
        self._line.write_stack(**described)
        self.folder = folder

    def __call__(self, *argv: object, sleep: Callable[[float], None] = time.sleep) -> CommandResult:
        self._line.now, self._line.sleep = time.time(), sleep
        return self._line(*argv)

    def until(self, holds: Callable[[Any], bool], *argv: object) -> Any:
        """Run the command until its document holds; return it. Raises AssertionError in the end."""
        deadline = time.monotonic() + SECONDS
        while True:
            ended = self(*argv, "--json")
            if ended.code == 0 and holds(ended.document):
                return ended.document
            if time.monotonic() > deadline:
                raise AssertionError(f"{argv}: {ended.stdout or ended.stderr}")
            time.sleep(0.5)


@pytest.fixture
def webhooks(tmp_path: Path, stack: Stack) -> Webhooks:
    return Webhooks(tmp_path, stack)


def test_a_delivery_is_listed_shown_and_explained(
    webhooks: Webhooks, stack: Stack, system: PlatformClient
) -> None:
    with Receiver() as receiver:
        webhook, name = register(system, receiver)
        event = publish(stack, name)
        receiver.wait_for(1, seconds=SECONDS)
        [delivery] = webhooks.until(bool, "deliveries", "list", "--webhook", name)
        assert delivery["outcome"] == "delivered"
        shown = webhooks("deliveries", "show", delivery["deliveryId"])
        assert (shown.code, "first byte" in shown.stdout) == (0, True)
        (webhooks.folder / "event.json").write_text(json.dumps(event))
        [explained] = webhooks.until(bool, "deliveries", "explain", "event.json")["webhooks"]
        assert (explained["webhookId"], explained["result"]) == (webhook["_id"], "matched")
        assert explained["outcome"] == "delivered"


def test_a_test_event_and_health_and_tail_work(
    webhooks: Webhooks, stack: Stack, system: PlatformClient
) -> None:
    with Receiver() as receiver:
        _, name = register(system, receiver)
        sent = webhooks("test", name)
        assert (sent.code, "outcome    delivered" in sent.stdout) == (0, True), sent
        assert webhooks("health", name).code == 0
        queues = webhooks.until(lambda found: "queues" in found, "health")["queues"]
        assert len(queues) == 7

        rounds = iter(range(40))

        def step(_seconds: float) -> None:
            if next(rounds) == 0:
                publish(stack, name)
            elif len(receiver.requests) > 1 and next(rounds) > 8:
                raise KeyboardInterrupt
            time.sleep(0.5)

        followed = webhooks("tail", "--webhook", name, "--json", sleep=step)
        lines = [json.loads(line) for line in followed.stdout.splitlines()]
        assert [each["outcome"] for each in lines] == ["delivered"], followed


def test_dead_letters_are_listed_and_redriven(
    webhooks: Webhooks, stack: Stack, system: PlatformClient
) -> None:
    with Receiver() as receiver:
        webhook, name = register(system, receiver)
        receiver.script(reply(404), reply())
        publish(stack, name)
        argv = ("deliveries", "--webhook", webhook["_id"])
        [letter] = webhooks.until(bool, "dlq", "list", *argv)
        assert webhooks("dlq", "redrive", *argv, "--dry-run", "--json").document["wouldSend"] == 1
        assert webhooks("dlq", "redrive", *argv, "--json").document["sent"] == 1
        [delivered] = webhooks.until(
            lambda found: [each["outcome"] for each in found] == ["delivered"],
            *("deliveries", "list", "--webhook", name),
        )
        assert letter["deliveryIds"] == [delivered["deliveryId"]]
        assert delivered["attemptCount"] == 2


def test_dead_deliveries_are_replayed(webhooks: Webhooks, stack: Stack, system: PlatformClient) -> None:
    with Receiver() as receiver:
        _, name = register(system, receiver)
        receiver.script(*[reply(404)] * 5, reply())
        for _ in range(5):
            publish(stack, name)
        argv = ("--webhook", name, "--outcome", "dead")
        webhooks.until(lambda found: len(found) == 5, "deliveries", "list", *argv)
        replayed = webhooks("deliveries", "replay", *argv, "--rate", 50, "--wait", "--json")
        assert (replayed.code, replayed.document["sent"]) == (0, 5), replayed
        webhooks.until(
            lambda found: {each["outcome"] for each in found} == {"delivered"},
            *("deliveries", "list", "--webhook", name),
        )
        assert len(receiver.requests) == 10
