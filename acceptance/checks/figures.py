"""Figures of the run: cold starts, from the lines that Lambda writes at the end of each invocation."""

import json
import statistics
from collections.abc import Iterator

from acceptance.checks.check import Check, NotHere, expect
from acceptance.site import Site

# FanoutFunction, DispatcherFunction and RecoveryFunction write no such lines: their SystemLogLevel is WARN.
REPORT = '{ $.type = "platform.report" }'
SLOWEST = 3_000.0  # ms of an init: a caller of the API waits for it


def cold_starts(site: Site) -> str:
    """Functions start within seconds."""
    figures = list(figures_of(site))
    if not figures:
        raise NotHere("no function has logged a cold start")
    slowest = max(most for _, _, _, most in figures)
    expect(slowest <= SLOWEST, f"an init took {slowest:.0f} ms")
    return "; ".join(
        f"{name}: {count} cold, median {median:.0f} ms, longest {most:.0f} ms"
        for name, count, median, most in figures
    )


def figures_of(site: Site) -> Iterator[tuple[str, int, float, float]]:
    """Yield a function's name, its number of cold starts, their median and the longest, in ms."""
    logs = site.account.client("logs")
    for group in site.service.resources("AWS::Logs::LogGroup"):
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group["PhysicalResourceId"], startTime=int(site.began * 1000), filterPattern=REPORT
        )
        inits = [
            init
            for page in pages
            for entry in page["events"]
            if (init := init_of(entry["message"])) is not None
        ]
        if inits:
            name = group["PhysicalResourceId"].rpartition("/")[2]
            yield name, len(inits), statistics.median(inits), max(inits)


def init_of(line: str) -> float | None:
    """Return the init's duration in ms of a report line; None of a warm start or another line."""
    try:
        record = json.loads(line)
        found = (
            record["record"]["metrics"].get("initDurationMs") if record["type"] == "platform.report" else None
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return None if found is None else float(found)


CHECKS = (Check("cold starts", cold_starts, "the emulator writes no report lines"),)
