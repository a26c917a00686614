"""What the deployed functions logged."""

from collections.abc import Iterator

from local.stack import Stack


def lines(stack: Stack, group: str, *, since: float) -> Iterator[str]:
    """Yield the lines of a log group, by its name, from a moment on in epoch seconds."""
    pages = stack.client("logs").get_paginator("filter_log_events")
    for page in pages.paginate(logGroupName=group, startTime=int(since * 1000)):
        yield from (event["message"] for event in page["events"])
