"""One stack at 1,000 and at 10,000 events a second while a tenth of the tenants' endpoints die.

The service's own code on a simulated clock, as in figure 11, with SQS's fair queues and Lambda's mappings.
A hundred tenants, each with one webhook; healthy endpoints respond in 200 ms, ten die and then take all of
their 5 s, with two retries. At 1,000 events/s the concurrency is the template's default; at 10,000 it is 40
for fan-out, 400 for the fast lane and 500 for the slow one. Lambda has scaled before: from nothing it adds
300 invocations a minute to each queue. The latency is that of the healthy tenants, from event to callback,
in four parts: before the death; the 10 s after it; the time until the breaker opens (BreakerSeconds=60); and
later than 20 s after that. The price of an hour is the model's of figure 12, for healthy endpoints, with the
time of the slow lane's invocations beside it.
"""

from collections.abc import Iterator

from benchmarks.figure import Chart, Goal, Line, Measured, Reading
from benchmarks.stack_load import BREAKER_SECONDS, ONSET_SECONDS, QUEUES, Seen, StackLoad
from benchmarks.traffic import percentile
from local.progress import Progress
from webhooks_cli.costs.effects import Month
from webhooks_cli.costs.load import MONTH_SECONDS, Load
from webhooks_cli.costs.prices import US_EAST_1
from webhooks_cli.costs.settings import SETTINGS

TITLE = "One stack: healthy tenants and backlog while a tenth of the endpoints die"
AGAINST = "the same stack before their death"
BOUND = """\
Until the breaker opens, the slow lane's place is held by the dead endpoints' deliveries, and the healthy ones
that wait for a container beside them come later."""
LOADS = (
    StackLoad(
        rate=1000,
        concurrency={"events": 10, "deliveries": 50, "slow": 50},
        warm_seconds=15,
        seconds=110,
    ),
    StackLoad(
        rate=10_000,
        concurrency={"events": 40, "deliveries": 400, "slow": 500},
        warm_seconds=5,
        seconds=95,
    ),
)
GOAL = Goal(1.5)  # as in figure 11, for the parts in which the lanes have settled
GOVERNED = ("dying", "breaker open")
SETTLED_SECONDS = 2  # from the start
HELD_SECONDS = BREAKER_SECONDS + 20  # from the death on: by then every breaker is open
HOURS = MONTH_SECONDS / 3600
MB_OF_GB = 1024


def measure(progress: Progress) -> Measured:
    """Simulate each load once."""
    readings: list[Reading] = []
    charts: list[Chart] = []
    remarks = []
    for load in LOADS:
        with progress.step(f"simulated, {load.rate:,} events a second"):
            seen = load.run()
        readings += readings_of(load, seen)
        charts += charts_of(load, seen)
        if seen.late:
            remarks.append(f"{load.rate:,} events/s: {seen.late:,} events had no callback at the end.")
    return Measured(readings, charts, remarks)


def readings_of(load: StackLoad, seen: Seen) -> Iterator[Reading]:
    """Yield the readings of a run."""
    name = f"{load.rate:,} events/s"
    parts = {
        "before": (SETTLED_SECONDS - load.warm_seconds, 0),
        "the first 10 s": (0, ONSET_SECONDS),
        "dying": (ONSET_SECONDS, BREAKER_SECONDS),
        "breaker open": (HELD_SECONDS, load.seconds),
    }
    parts = {part: (first, last) for part, (first, last) in parts.items() if first < load.seconds}
    p99 = {}
    for part, (first, last) in parts.items():
        ms = seen.between(first, last)
        p99[part] = percentile(ms, 99)
        yield Reading(f"{name}, {part}: p50", [percentile(ms, 50)], "ms")
        yield Reading(f"{name}, {part}: p99", [p99[part]], "ms")
    for part in [each for each in p99 if each in GOVERNED]:
        yield Reading(f"{name}, {part}: p99 over before", [p99[part] / p99["before"]], goal=GOAL)
    for queue, title in QUEUES.items():
        running, waiting = seen.running[queue], seen.waiting[queue]
        yield Reading(f"{name}, {title}: most invocations at once", [_most(running)], "")
        yield Reading(f"{name}, {title}: most that wait", [_most(waiting)], "messages")
    yield Reading(f"{name}, slow lane: waiting at the end", [seen.waiting["slow"][-1][1]], "messages")
    month = Month(load=Load(events=round(load.rate * MONTH_SECONDS)))
    yield Reading(f"{name}: price of an hour, by the model", [month.bill.total / HOURS], "$")
    for part, (first, last) in parts.items():
        counts = [count for second, count in seen.running["slow"] if first <= second < last]
        dollars = _hour(sum(counts) / len(counts))
        yield Reading(f"{name}, {part}: slow lane's time, an hour", [dollars], "$")


def _hour(invocations: float) -> float:
    """Return the price of so many invocations at any time, for an hour."""
    return invocations * 3600 * SETTINGS.dispatcher_memory_mb / MB_OF_GB * US_EAST_1.lambda_gb_second


def charts_of(load: StackLoad, seen: Seen) -> Iterator[Chart]:
    """Yield the charts of a run."""
    x = "time since the endpoints died (s)"
    for name, title, y, lines in (
        ("waiting", "Messages that wait", "messages", seen.waiting),
        ("running", "Invocations at once", "invocations", seen.running),
    ):
        yield Chart(
            f"{name}-{load.rate:.0f}",
            f"{title}, {load.rate:,} events/s, a tenth of the endpoints die at 0",
            x,
            y,
            {QUEUES[queue]: line for queue, line in lines.items()},
        )
    yield Chart(
        f"p99-{load.rate:.0f}",
        f"Healthy tenants' p99 by second, {load.rate:,} events/s",
        x,
        "p99 from event to callback (ms)",
        {"healthy tenants": _by_second(seen)},
    )


def _by_second(seen: Seen) -> Line:
    seconds: dict[int, list[float]] = {}
    for second, ms in seen.latencies:
        seconds.setdefault(int(second // 1), []).append(ms)
    return [(second, round(percentile(each, 99), 1)) for second, each in sorted(seconds.items())]


def _most(line: Line) -> float:
    return max(value for _, value in line)
