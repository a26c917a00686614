"""Alarms and dashboards of the deployed stack."""

import json
import time
from typing import Any

from acceptance.checks.check import Check, NotHere, expect
from acceptance.site import Site

ALARM_SECONDS, OK_SECONDS, PAUSE = 600, 900, 15
DLQ = "RecoveryDlqUrl"
VISIBLE = "ApproximateNumberOfMessagesVisible"
RAISED = "to ALARM"


def alarms_are_fed(site: Site) -> str:
    """Each alarm can be evaluated: none waits for data for ever."""
    alarms = _alarms(site)
    unfed = site.until(
        lambda: not [each for each in _alarms(site) if each["StateValue"] == "INSUFFICIENT_DATA"],
        seconds=300,
        pause=PAUSE,
    )
    waiting = [each["AlarmName"] for each in _alarms(site) if each["StateValue"] == "INSUFFICIENT_DATA"]
    expect(unfed, f"no data: {', '.join(waiting)}")
    return f"{len(alarms)} alarms have a state"


def an_alarm_is_raised_once(site: Site) -> str:
    """A dead letter raises its alarm, and its removal ends it; the alarm is raised once."""
    sqs, url = site.account.client("sqs"), site.service.outputs[DLQ]
    queue = url.rpartition("/")[2]
    watching = [
        each["AlarmName"]
        for each in _alarms(site)
        if each.get("MetricName") == VISIBLE and _dimension(each, "QueueName") == queue
    ]
    if not watching:
        raise NotHere(f"no alarm watches {DLQ.removesuffix('Url')}")
    sqs.purge_queue(QueueUrl=url)  # the tests have left dead letters
    began = time.time()
    expect(_reaches(site, watching, "OK", OK_SECONDS), f"{watching} are not OK before the test")
    sqs.send_message(QueueUrl=url, MessageBody="a message of an acceptance run")
    sent = time.time()
    expect(
        _reaches(site, watching, "ALARM", ALARM_SECONDS),
        f"{watching} are not in ALARM after {ALARM_SECONDS} s",
    )
    raised = time.time() - sent
    time.sleep(60 * site.patience)  # purge_queue may be called once in a minute
    sqs.purge_queue(QueueUrl=url)
    expect(_reaches(site, watching, "OK", OK_SECONDS), f"{watching} are not OK after {OK_SECONDS} s")
    for name in watching:
        history = site.account.client("cloudwatch").describe_alarm_history(
            AlarmName=name, HistoryItemType="StateUpdate", StartDate=began
        )["AlarmHistoryItems"]
        times = sum(
            RAISED in each["HistorySummary"] for each in history if each["Timestamp"].timestamp() >= sent
        )
        expect(times == 1, f"{name} was raised {times} times")
    return f"{', '.join(watching)}: ALARM {raised:.0f} s after the dead letter, then OK, raised once"


def dashboards_exist(site: Site) -> str:
    """The stack's dashboards can be read, and name metrics of this stack."""
    cloudwatch, names = site.account.client("cloudwatch"), []
    for each in site.service.resources("AWS::CloudWatch::Dashboard"):
        body = json.loads(cloudwatch.get_dashboard(DashboardName=each["PhysicalResourceId"])["DashboardBody"])
        expect(body.get("widgets"), f"{each['PhysicalResourceId']} has no widgets")
        names.append(f"{each['PhysicalResourceId']} with {len(body['widgets'])} widgets")
    if not names:
        raise NotHere("the template has no dashboard")
    return ", ".join(names)


def _alarms(site: Site) -> list[dict[str, Any]]:
    pages = site.account.client("cloudwatch").get_paginator("describe_alarms")
    found = [
        alarm
        for page in pages.paginate(AlarmNamePrefix=f"{site.names.service}-")
        for alarm in page["MetricAlarms"]
    ]
    if not found:
        raise NotHere("the template has no alarms")
    return found


def _dimension(alarm: dict[str, Any], name: str) -> str | None:
    return next((str(each["Value"]) for each in alarm.get("Dimensions", []) if each["Name"] == name), None)


def _reaches(site: Site, names: list[str], state: str, seconds: float) -> bool:
    def reached() -> bool:
        return all(each["StateValue"] == state for each in _alarms(site) if each["AlarmName"] in names)

    return bool(site.until(reached, seconds=seconds, pause=PAUSE))


CHECKS = (
    Check("alarms have data", alarms_are_fed, "the emulator evaluates no alarm"),
    Check("a dead letter raises its alarm once", an_alarm_is_raised_once, "the emulator evaluates no alarm"),
    Check("dashboards exist", dashboards_exist),
)
