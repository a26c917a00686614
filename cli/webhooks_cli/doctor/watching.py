"""Checks of alarms, dead letters, the age of messages, and orphaned credentials."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from webhooks_cli.doctor.findings import FAILED, OK, WARNING, Finding, UnansweredError
from webhooks_cli.doctor.stack import Stack
from webhooks_cli.errors import CliError
from webhooks_cli.queues import WATCHED_DLQS, QueueState, queue_states
from webhooks_cli.timestamps import show_age

OLD = 15 * 60  # seconds: more than any outage of a minute leaves behind
LOST = 3 * 86400  # of the seven days after which SQS deletes a message
CLEANUP_HOURS = 3  # the cleanup runs each hour
NAMESPACE = "Webhooks"


def alarms(stack: Stack) -> Iterator[Finding]:
    wanted = {each.physical for each in stack.resources("AWS::CloudWatch::Alarm")}
    if not wanted:
        yield Finding("alarms", WARNING, "The stack has no alarm.", "make deploy")
        return
    found = _described(stack)
    for name in sorted(wanted - found.keys()):
        yield Finding("alarms", FAILED, f"The alarm {name} does not exist.", "make deploy")
    silent = [
        name
        for name, each in found.items()
        if not each.get("AlarmActions") or not each.get("ActionsEnabled", True)
    ]
    if silent:
        yield Finding(
            "alarms",
            WARNING,
            f"{len(silent)} of {len(found)} alarms notify nothing, such as {min(silent)}.",
            "AlarmTopicArn=ARN of an SNS topic, in samconfig.toml, then make deploy",
        )
    elif wanted <= found.keys():
        yield Finding("alarms", OK, f"All {len(found)} alarms have an action.")


def alarm_states(stack: Stack) -> Iterator[Finding]:
    if not stack.resources("AWS::CloudWatch::Alarm"):
        return
    ringing = [each for each in _described(stack).values() if each.get("StateValue") == "ALARM"]
    for each in ringing:
        text, _, section = each.get("AlarmDescription", "").rpartition(" ")
        yield Finding("alarm states", FAILED, f"{each['AlarmName']} is in ALARM: {text}", section)
    if not ringing:
        yield Finding("alarm states", OK, "No alarm is in ALARM.")


def _described(stack: Stack) -> dict[str, dict[str, Any]]:
    pages = stack.pages(
        "cloudwatch", "DescribeAlarms", AlarmNamePrefix=f"{stack.name}-", AlarmTypes=["MetricAlarm"]
    )
    return {each["AlarmName"]: each for page in pages for each in page.get("MetricAlarms", [])}


def dead_letters(stack: Stack) -> Iterator[Finding]:
    filled = [each for each in _queues(stack) if each.name in WATCHED_DLQS and each.messages]
    for each in filled:
        name = each.name.removesuffix("-dlq")
        yield Finding(
            "dead letters",
            WARNING,
            f"{each.name} has about {each.messages} message{'' if each.messages == 1 else 's'}.",
            f"webhooks dlq list {name} {stack.option()}",
        )
    if not filled:
        yield Finding("dead letters", OK, "The dead-letter queues of events and tasks are empty.")


def ages(stack: Stack) -> Iterator[Finding]:
    old = [each for each in _queues(stack) if not each.name.endswith("-dlq") and (each.oldest or 0) > OLD]
    for each in old:
        age = each.oldest or 0
        yield Finding(
            "age of messages",
            FAILED if age > LOST else WARNING,
            f"The oldest message in {each.name} is {show_age(age)} old; SQS deletes it after 7 days.",
            f"webhooks health {stack.option()}, and the logs of the function that reads the queue",
        )
    if not old:
        yield Finding("age of messages", OK, f"No message waits for more than {OLD // 60} minutes.")


def _queues(stack: Stack) -> list[QueueState]:
    try:
        return queue_states(stack.deployment)
    except CliError as error:
        raise UnansweredError(str(error)) from None


def orphans(stack: Stack) -> Iterator[Finding]:
    """Read the counts of the cleanup's last runs, which alone may read the webhooks."""
    counts = _cleanup_counts(stack)
    if not counts:
        yield Finding(
            "orphaned credentials",
            WARNING,
            f"cannot be checked here: no run of the cleanup was counted in {CLEANUP_HOURS} hours.",
            stack.aws(f"logs tail /{stack.name}/maintenance --since {CLEANUP_HOURS}h"),
        )
    elif counts.get("CleanupStopped"):
        yield Finding(
            "orphaned credentials",
            FAILED,
            "The cleanup stopped and deleted nothing.",
            stack.aws(f"logs tail /{stack.name}/maintenance --since {CLEANUP_HOURS}h"),
        )
    elif count := counts.get("CredentialsOrphans"):
        yield Finding(
            "orphaned credentials", WARNING, f"{count:g} credentials have no webhook.", "docs/restore.md"
        )
    else:
        yield Finding("orphaned credentials", OK, "Every credential has its webhook.")


def _cleanup_counts(stack: Stack) -> dict[str, float]:
    """Return the newest value of each metric by name."""
    now = datetime.now(timezone.utc)
    names = ("CleanupStopped", "CredentialsOrphans")
    # Stacks of one account may share a namespace or have one each.
    spaces = (NAMESPACE, f"{NAMESPACE}/{stack.name}")
    metrics = [(name, space) for name in names for space in spaces]
    queries = [
        {
            "Id": f"m{at}",
            "MetricStat": {
                "Metric": {
                    "Namespace": space,
                    "MetricName": name,
                    "Dimensions": [{"Name": "service", "Value": "maintenance"}],
                },
                "Period": 300,
                "Stat": "Maximum",
            },
        }
        for at, (name, space) in enumerate(metrics)
    ]
    found = stack.call(
        "cloudwatch",
        "GetMetricData",
        MetricDataQueries=queries,
        StartTime=now - timedelta(hours=CLEANUP_HOURS),
        EndTime=now,
        ScanBy="TimestampDescending",
    ).get("MetricDataResults", [])
    newest = {each["Id"]: each["Values"][0] for each in found if each.get("Values")}
    return {name: newest[f"m{at}"] for at, (name, _) in enumerate(metrics) if f"m{at}" in newest}
