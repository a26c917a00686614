"""The alarms of the template on the local stack: each one's metric or metric math, evaluated on facts.py.

The emulator keeps alarms and their states, but evaluates them without their dimensions and knows no metric math: so
the evaluation is done here, and its result is written to the alarms that the emulator has (`SetAlarmState`), where
`webhooks status` reads it. One period is evaluated, from a time until now; how many periods in a row make an alarm
(`EvaluationPeriods`) is left out, as it takes up to three hours.
"""

import operator
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from local.stack import STACK_NAME, Stack
from tests.e2e import permissions
from tests.e2e.alarm_math import evaluate
from tests.e2e.facts import Facts, Metric
from tests.template.template import REFERENCE, translate

ALARM = "AWS::CloudWatch::Alarm"
SECTION = re.compile(r"docs/runbook\.md#([a-z-]+)$")
# Thresholds of the rehearsal, in the metric's unit, where the template's take minutes to days, or 100,000 messages.
LOWERED = {
    **dict.fromkeys(("events-queue-age", "deliveries-queue-age"), 2.0),
    **dict.fromkeys(("slow-deliveries-queue-age", "recovery-queue-age"), 2.0),
    **dict.fromkeys(("events-queue-expiry", "deliveries-queue-expiry"), 3.0),
    **dict.fromkeys(("slow-deliveries-queue-expiry", "recovery-queue-expiry"), 3.0),
    "fast-lane-latency": 3000.0,
    "queues-in-flight": 1.0,
    "events-dlq-age": 1.0,
}
PATIENCE = 40.0  # seconds until a metric is as wanted, on a busy machine
COMPARE = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True)
class Alarm:
    """An alarm; `name` is that of its section in the runbook."""

    name: str
    properties: Mapping[str, Any]

    @property
    def threshold(self) -> float:
        return LOWERED.get(self.name, float(self.properties["Threshold"]))

    def value(self, facts: Facts) -> float | None:
        """Return its metric's value over the time of the facts; None without data. Raises NoFactError."""
        if "Metrics" not in self.properties:
            return facts.value(_metric(self.properties))
        known: dict[str, float | None] = {}
        wanted: list[str] = []
        for each in self.properties["Metrics"]:
            if "Expression" in each:
                wanted.append(each["Expression"])
            else:
                stat = each["MetricStat"]
                known[each["Id"]] = facts.value(_metric({**stat["Metric"], "Statistic": stat["Stat"]}))
        [expression] = wanted
        return evaluate(expression, known)

    def breaches(self, facts: Facts) -> bool:
        """Tell whether the period would count for the alarm."""
        value = self.value(facts)
        if value is None:
            return bool(self.properties["TreatMissingData"] == "breaching")
        return bool(COMPARE[self.properties["ComparisonOperator"]](value, self.threshold))


class Alarms:
    """The alarms of a stack, and the facts of the present period."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.facts = Facts(stack)

    def begin(self) -> float:
        """Begin another period; return its time in epoch seconds."""
        self.facts = Facts(self.stack)
        return self.facts.since

    def until_on(self, *names: str) -> None:
        """Wait until each alarm breaches. Raises AssertionError in the end."""
        for name in names:
            self._until(name, wanted=True)

    def until_off(self, *names: str) -> None:
        """Wait until no alarm breaches. Raises AssertionError in the end."""
        for name in names:
            self._until(name, wanted=False)

    def _until(self, name: str, *, wanted: bool) -> None:
        alarm = self.known[name]
        deadline = time.monotonic() + PATIENCE
        while alarm.breaches(self.facts) is not wanted:
            assert time.monotonic() < deadline, (
                f"{name} is {alarm.value(self.facts)}, its threshold {alarm.threshold}: "
                f"it does not {'begin' if wanted else 'end'}"
            )
            time.sleep(0.3)
        self._write(name, "ALARM" if wanted else "OK")

    def _write(self, name: str, state: str) -> None:
        """Set the state in the emulator, where it has the alarm: it has none with metric math."""
        try:
            self.stack.client("cloudwatch").set_alarm_state(
                AlarmName=f"{STACK_NAME}-{name}", StateValue=state, StateReason="evaluated by the test"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFound":
                raise

    @cached_property
    def known(self) -> dict[str, Alarm]:
        """Return the runbook's alarms by name, with the stack's own names in their metrics."""
        references = _references(self.stack)
        names = {alarm_name(each): each for each in translate().resources(ALARM).values()}
        return {name: Alarm(name, _resolved(each, references)) for name, each in names.items() if name}


def alarm_name(properties: Mapping[str, Any]) -> str | None:
    """Return the section's name in an alarm's description; None of one that a release takes care of."""
    found = SECTION.search(properties["AlarmDescription"])
    return found[1] if found else None


def _metric(properties: Mapping[str, Any]) -> Metric:
    return Metric(
        properties["Namespace"],
        properties["MetricName"],
        {each["Name"]: each["Value"] for each in properties.get("Dimensions", [])},
        properties.get("Statistic") or properties["ExtendedStatistic"],
    )


def _references(stack: Stack) -> dict[str, str]:
    described = stack.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    return {
        **{logical: physical for physical, logical in permissions.logical_ids(stack).items()},
        **{each["ParameterKey"]: each["ParameterValue"] for each in described["Parameters"]},
        "AWS::StackName": STACK_NAME,
    }


def _resolved(value: Any, references: Mapping[str, str]) -> Any:
    match value:
        case {"Ref": str(name)} if name in references:
            return references[name]
        case {"Fn::GetAtt": [str(name), "QueueName"]}:
            return references[name].rpartition("/")[2]
        case {"Fn::Sub": str(text)}:
            return REFERENCE.sub(lambda found: references[found[1]], text)
        case dict():
            return {name: _resolved(each, references) for name, each in value.items()}
        case list():
            return [_resolved(each, references) for each in value]
    return value
