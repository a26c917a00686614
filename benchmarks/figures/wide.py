"""One event that 1,000, 10,000 and 100,000 webhooks want, fanned out by the real function.

AWS is stubbed below botocore. CPU and calls are the function's, per match. The clock is simulated: an
invocation takes its CPU by the processor share of 512 MB, and 7.5 ms for each call; ten invocations run at
once, as FanoutConcurrency has it, and a message takes 16 ms from one function to the next. Times are those
until a delivery is on its queue; its callback follows one more hop later.
"""

import heapq
from dataclasses import dataclass

from benchmarks import event_path
from benchmarks.figure import Chart, Goal, Measured, Reading
from local.progress import Progress
from tests.aws_stub.tables import Tables
from tests.hostile import EVIL, NAME, Case, Lambda, event, items, peak, start_of_peak
from webhooks.services.fanout.stages import EventMessage

TITLE = "One event for very many webhooks"
AGAINST = "1,000 webhooks"
BOUND = """\
One call to the deliveries queue takes ten deliveries, each to another webhook: 0.1 calls per match are the
least there can be. Each slice of 500 adds a Query, the read of its name's fields, and its deletion before the
next slice. Slices of 1,000 make 0.103, and the last of 10,000 deliveries comes after 9 s, not 5."""
SIZES = (1_000, 10_000, 100_000)
AT_ONCE = 10  # invocations
HOP = 0.016  # seconds
BATCH = 10  # messages
BASE_MB = 60  # of the function itself, in docs/benchmarks.md's soak
HELD = 300  # bytes that this process holds for each delivery, to see that there is one for each webhook
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Run:
    cpu: float
    calls: float
    first: float
    last: float
    longest: float
    memory: float
    invocations: int


def measure(progress: Progress) -> Measured:
    runs = {}
    for size in SIZES:
        with progress.step(f"{size:,} webhooks"):
            runs[size] = _fan_out(size)
    small, large = runs[SIZES[0]], runs[SIZES[-1]]
    readings = [
        Reading("CPU per match", [large.cpu / small.cpu], goal=Goal(1.1)),
        Reading("calls per match", [large.calls], unit="calls", goal=Goal(0.1)),
        Reading("calls per match", [large.calls / small.calls], goal=Goal(1.1)),
        Reading("longest invocation", [max(run.longest for run in runs.values())], "s", Goal(20)),
        Reading("largest invocation", [max(run.memory for run in runs.values())], "MB", Goal(256)),
        Reading("first delivery of 100,000", [large.first], "s"),
        Reading("last delivery of 100,000", [large.last], "s"),
    ]
    remarks = [
        f"{size:,} webhooks: {run.cpu * 1e6:.0f} µs of CPU and {run.calls:.3f} calls per match, "
        f"{run.invocations} invocations, the last delivery after {run.last:.1f} s."
        for size, run in runs.items()
    ]
    chart = Chart(
        "until",
        "Time until the deliveries of one event are on their queue",
        "webhooks that the event matches",
        "time (s)",
        {
            "the first": [(size, run.first) for size, run in runs.items()],
            "the last": [(size, run.last) for size, run in runs.items()],
        },
        log="xy",
    )
    return Measured(readings, [chart], remarks)


def _fan_out(size: int) -> _Run:
    """Run one event to its end; raises AssertionError unless each webhook gets it exactly once."""
    tables = Tables()
    tables.load(event_path.SUBSCRIPTIONS, items(Case([(NAME, "[]")] * size, [], wanted=None)))
    function = Lambda(tables)
    began, cpu = start_of_peak(), function.cpu
    waiting = [(HOP, 0, event(EVIL))]
    free = [0.0] * AT_ONCE  # when each of the invocations at once can begin the next
    first, last, number = 0.0, 0.0, 0
    while waiting:
        start = max(heapq.heappop(free), waiting[0][0])
        batch: list[str] = []
        while waiting and waiting[0][0] <= start and len(batch) < BATCH:
            batch.append(heapq.heappop(waiting)[2])
        if function.invoke([EventMessage(str(at), text, 0) for at, text in enumerate(batch)]):
            raise AssertionError("a message comes again, and nothing went wrong")
        end = start + function.spent
        heapq.heappush(free, end)
        if function.last_sent:
            first, last = first or start + function.first_sent, max(last, start + function.last_sent)
        for text in function.slices:
            number += 1
            heapq.heappush(waiting, (end + HOP, number, text))
        function.slices.clear()
    if len(function.hostile) != size or set(function.hostile.values()) != {1}:
        raise AssertionError(f"{len(function.hostile)} of {size} got the event")
    memory = (peak() - began - size * HELD) / MEGABYTE + BASE_MB
    return _Run(
        cpu=(function.cpu - cpu) / size,
        calls=function.calls.total() / size,
        first=first,
        last=last,
        longest=function.result.longest,
        memory=memory,
        invocations=function.result.invocations,
    )
