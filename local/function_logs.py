"""Saves the log lines of the deployed functions to a file, which the message of a failed step names."""

from contextlib import suppress
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from local.stack import STACK_NAME, Stack

LAMBDAS_OWN = ("START RequestId:", "END RequestId:", "REPORT RequestId:")


def save(stack: Stack, *, since: float) -> Path:
    """Write all functions' own lines from `since` (epoch seconds) on, in order of time; return the file."""
    lines: list[tuple[int, str]] = []
    logs = stack.client("logs")
    with suppress(BotoCoreError, ClientError):  # the emulator ended: its own log says why
        for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=f"/{STACK_NAME}/"):
            for group in page["logGroups"]:
                name = group["logGroupName"]
                events = logs.get_paginator("filter_log_events").paginate(
                    logGroupName=name, startTime=int(since * 1000)
                )
                lines += [
                    (event["timestamp"], f"{name.rpartition('/')[2]}: {event['message'].rstrip()}\n")
                    for found in events
                    for event in found["events"]
                    if not event["message"].startswith(LAMBDAS_OWN)
                ]
    file = stack.folder / "functions.log"
    file.write_text("".join(line for _, line in sorted(lines)), "utf-8")
    return file
