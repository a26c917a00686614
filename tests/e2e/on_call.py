"""The person on call in a rehearsal: runs the commands of the runbook and of `webhooks status`."""

import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.stack import Stack
from tests import aws_commands, runbook
from tests.e2e.test_command import Webhooks
from tests.unit.cli.command_line import CommandResult

SECONDS = 40.0
Test = Callable[..., None]


@dataclass(frozen=True)
class Rehearsals:
    """The alarms that tests cause, each with the name of its test."""

    tests: dict[str, str] = field(default_factory=dict)

    def of(self, *alarms: str) -> Callable[[Test], Test]:
        """Register a test that causes these alarms."""

        def register(test: Test) -> Test:
            self.tests.update(dict.fromkeys(alarms, test.__name__))
            return test

        return register


@dataclass(frozen=True)
class OnCall:
    stack: Stack
    webhooks: Webhooks
    sections: Mapping[str, runbook.Section] = field(default_factory=runbook.sections)

    def run(self, alarm: str, line: str, *more: str, code: int = 0, **values: str) -> CommandResult | None:
        """Run a command of an alarm's section; `more` is added to it. Raises AssertionError where it fails."""
        return self.type(
            shlex.join([*shlex.split(self.sections[alarm].command(line, **values)), *more]), code=code
        )

    def type(self, line: str, *, code: int = 0) -> CommandResult | None:
        """Run a command; return the result of one of `webhooks`."""
        if line.startswith("aws "):
            aws_commands.read(line).run(self.stack.client)
            return None
        ended = self.webhooks(*shlex.split(line)[1:])
        assert ended.code == code, (line, ended)
        return ended

    def run_until_well(self, alarm: str, line: str) -> None:
        """Run a command of `webhooks` until it ends with 0. Raises AssertionError in the end."""
        words = shlex.split(self.sections[alarm].command(line))[1:]
        eventually(lambda: self.webhooks(*words).code == 0, f"{line} does not end with 0")

    def document(self, alarm: str, line: str, *more: str, **values: str) -> Any:
        """Run a command of `webhooks` with --json; return what it prints."""
        ended = self.run(alarm, line, *more, "--json", code=0, **values)
        assert ended
        return ended.document

    def wrong(self) -> dict[str, str]:
        """Return what `webhooks status` finds wrong, with the command for each."""
        ended = self.webhooks("status", "--json")
        assert ended.code in (0, 1), ended
        return {each["text"]: each["command"] or "" for each in ended.document["wrong"]}

    def mend(self, *texts: str) -> None:
        """Run what `webhooks status` prints for each of these findings. Raises AssertionError without it."""
        found = self.wrong()
        for text in texts:
            [command] = [each for said, each in found.items() if text in said]
            assert command, text
            self.type(command)


def eventually(holds: Callable[[], object], what: str) -> None:
    """Wait until it holds. Raises AssertionError in the end."""
    until = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.3)
