"""The alarms of a stack that are in ALARM; for operators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webhooks_cli.aws import Account, aws_errors
from webhooks_cli.timestamps import show_timestamp

ALARM = "ALARM"


@dataclass(frozen=True, slots=True)
class AlarmState:
    """An alarm; `since` in epoch seconds, `section` is the runbook's."""

    name: str
    state: str
    since: float
    section: str

    def document(self) -> dict[str, Any]:
        return {
            "alarm": self.name,
            "state": self.state,
            "since": show_timestamp(int(self.since)),
            "runbook": self.section,
        }


def alarm_states(account: Account, stack: str) -> list[AlarmState]:
    """Read the state of every alarm whose name begins with the stack's. Raises CliError."""
    with aws_errors("cloudwatch DescribeAlarms"):
        pages = (
            account.client("cloudwatch")
            .get_paginator("describe_alarms")
            .paginate(AlarmNamePrefix=f"{stack}-")
        )
        found = [each for page in pages for each in page["MetricAlarms"]]
    return sorted(map(_state, found), key=lambda each: (each.state != ALARM, each.name))


def in_alarm(alarms: Sequence[AlarmState]) -> list[AlarmState]:
    return [each for each in alarms if each.state == ALARM]


def _state(alarm: Mapping[str, Any]) -> AlarmState:
    section = (alarm.get("AlarmDescription") or "").rpartition(" ")[2]
    return AlarmState(
        alarm["AlarmName"],
        alarm["StateValue"],
        alarm["StateUpdatedTimestamp"].timestamp(),
        section if section.startswith("docs/") else "",
    )
