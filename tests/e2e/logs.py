"""Log lines of the deployed functions."""

from collections.abc import Iterator

from local.stack import Stack


def lines(stack: Stack, group: str, *, since: float) -> Iterator[str]:
    """Yield the lines of a log group, by its name, from a time on, in epoch seconds."""
    pages = stack.client("logs").get_paginator("filter_log_events")
    for page in pages.paginate(logGroupName=group, startTime=int(since * 1000)):
        yield from (event["message"] for event in page["events"])
