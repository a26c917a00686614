"""p99 from event to callback of 45 tenants while 5 others' endpoints, token endpoints or lookups hang.

Against the same events with those 5 responding. On the local stack in turn, the unresponsive ones known as
such; its functions have a stub before their resolver, for whose names a lookup takes 10 s and fails. And
simulated: the service's own code on a simulated clock and simulated queues with the template's defaults: SQS
with its rule of fairness, Lambda's pollers with up to 50 batches of 10 at once, endpoints that respond in
200 ms and others that take all of their 5 s; each seed is a pair with the same events. "The first 10 s": the
endpoints die under load and are marked slow meanwhile; the other readings are of the time after that. "One
queue": without the slow lane.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from benchmarks import load, outage, traffic
from benchmarks.figure import Chart, Goal, Line, Measured, Reading
from benchmarks.load import Listener
from benchmarks.outage import Outage
from benchmarks.receiver_process import DEAD, TOKEN
from benchmarks.recording_receiver import recording_receiver
from benchmarks.timed_deployment import Design
from benchmarks.timed_endpoints import Unresponsive
from benchmarks.traffic import distribution, percentile
from local.paths import ROOT
from local.progress import Progress

TITLE = "Fairness: healthy tenants' p99 while a tenth of the events go to endpoints that never answer"
AGAINST = "the same events, all endpoints alive"
BOUND = (
    "The emulator has one poller: after a look at the queues that found nothing it waits 50 ms, and each "
    "batch of the slow lane that ends brings such a look. In the simulation there is no such poller."
)
ONSET_REMARK = (
    "In the first 10 s a batch with a delivery to a dead endpoint holds its place for the 5 s of the "
    "deadline. The mark that sends the webhook's later deliveries to the slow lane is written once an "
    "attempt takes the fast lane's second; the rest is the start of containers in place of those that are held."
)
NAIVE_REMARK = (
    "Without the slow lane the backlog grows for as long as events flow, and the ratio with it. Fairness "
    "alone does not help then: none of the five keeps a tenth of the messages in flight, which makes a "
    "group noisy."
)
GOAL = Goal(1.5)
ONSET_GOAL = Goal(2)
LOADS = (20, 100, 300)  # events a second
PAIRS = 5
LOCAL_RATE, LOCAL_SECONDS = 20, 10
AHEAD, WARM_SECONDS = 50, 6
ALIVE = "all answer"
DYING = {which: f"unresponsive {which} of 5 of 50" for which in Unresponsive}
MUTE_HOST = "mute-{}.bench.test"
MUTE_NAMES = load.FOLDER / "mute-names"  # see benchmarks/names
OAUTH = {
    "authType": "oauth2",
    "oAuthGrantType": "client_credentials",
    "oAuthScopes": ["bench"],
    "credential": {"oauth2": {"clientId": "bench", "clientSecret": "bench"}},
}

type Seen = Sequence[tuple[float, float]]  # seconds since the death, and ms


def measure(progress: Progress) -> Measured:
    """Measure on the local stack, then in the simulation."""
    parts = [_local(progress), _simulated(progress)]
    return Measured(
        [reading for part in parts for reading in part.readings],
        [chart for part in parts for chart in part.charts],
        [remark for part in parts for remark in part.remarks],
    )


def _local(progress: Progress) -> Measured:
    names = (ALIVE, *DYING.values())
    runs: dict[str, list[list[float]]] = {name: [] for name in names}
    environment = {"PYTHONPATH": str(ROOT / "benchmarks" / "names"), "MUTE_NAMES": str(MUTE_NAMES)}
    MUTE_NAMES.unlink(missing_ok=True)
    with load.deployed(progress, environment) as stack, recording_receiver() as endpoint:
        url = stack.outputs["EventsQueueUrl"]
        with progress.step("register webhooks, start the functions, let the dead ones become known"):
            tenants = load.Tenants(stack, endpoint)
            healthy = tenants.listeners(outage.TENANTS - outage.DEAD)
            others = {ALIVE: tenants.listeners(outage.DEAD)}
            others |= {DYING[which]: _unresponsive_listeners(tenants, which) for which in Unresponsive}
            MUTE_NAMES.touch()
            events = {name: traffic.events(_mixed(healthy, some)) for name, some in others.items()}
            traffic.keep_ahead(stack, url, events[ALIVE], endpoint, by=AHEAD, seconds=WARM_SECONDS)
            for name in DYING.values():
                traffic.publish(stack, url, events[name], rate=LOCAL_RATE, seconds=WARM_SECONDS)
                traffic.settle(stack)
        with progress.step(f"local stack, {LOCAL_RATE} events a second"):
            for number in range(PAIRS):
                for name in names if number % 2 else reversed(names):
                    sent = traffic.publish(stack, url, events[name], rate=LOCAL_RATE, seconds=LOCAL_SECONDS)
                    runs[name].append(traffic.latencies(endpoint, sent))
                    traffic.settle(stack)
    readings = [
        Reading(
            f"local stack, {LOCAL_RATE} events/s, unresponsive {which}",
            _over(runs[DYING[which]], runs[ALIVE]),
            goal=GOAL,
        )
        for which in Unresponsive
    ]
    readings += [
        Reading(f"local stack, p99, {name}", [_p99(run) for run in each], "ms") for name, each in runs.items()
    ]
    chart = Chart(
        "local",
        f"Healthy tenants on the local stack, {LOCAL_RATE} events/s",
        "time from event to callback (ms)",
        "callbacks (%)",
        {name: distribution([ms for run in each for ms in run]) for name, each in runs.items()},
    )
    return Measured(readings, [chart])


def _unresponsive_listeners(tenants: load.Tenants, which: Unresponsive) -> list[Listener]:
    match which:
        case Unresponsive.TOKEN:
            api = {**OAUTH, "oAuthTokenUrl": tenants.receiver.url + TOKEN}
            return tenants.listeners(outage.DEAD, path=DEAD, api=api)
        case Unresponsive.LOOKUP:
            return tenants.listeners(outage.DEAD, path=DEAD, host=MUTE_HOST)
    return tenants.listeners(outage.DEAD, path=DEAD)


def _simulated(progress: Progress) -> Measured:
    known, onset = [], []
    runs: dict[str, Sequence[Seen]] = {}
    for rate in LOADS:
        outages = [Outage(rate, seed) for seed in range(1, PAIRS + 1)]
        for which in Unresponsive:
            with progress.step(f"simulated, {rate} events a second, unresponsive {which}"):
                alive: list[Seen] = [each.run(dead=0, unresponsive=which) for each in outages]
                dying: list[Seen] = [each.run(unresponsive=which) for each in outages]
            name = f"simulated, {rate} events/s, unresponsive {which}"
            known.append(Reading(name, _over(*_parts(outage.steady, dying, alive)), goal=GOAL))
            if which is Unresponsive.ENDPOINT:
                name = f"simulated, {rate} events/s, the first {outage.ONSET_SECONDS} s"
                onset.append(Reading(name, _over(*_parts(outage.onset, dying, alive)), goal=ONSET_GOAL))
                runs[ALIVE] = alive
            runs[DYING[which]] = dying
    naive = []
    for design in (Design.FAIR, Design.PLAIN):
        with progress.step(f"simulated, {LOADS[-1]} events a second, {design}"):
            seen = Outage(LOADS[-1], 1).run(design=design)
        ratio = _p99(outage.steady(seen)) / _p99(outage.steady(runs[ALIVE][0]))
        naive.append(Reading(f"simulated, {LOADS[-1]} events/s, {design}", [ratio]))
        runs[f"{DYING[Unresponsive.ENDPOINT]}, {design}"] = [seen]
    return Measured([*known, *onset, *naive], _charts(runs), [ONSET_REMARK, NAIVE_REMARK])


def _parts(part: Callable[[Seen], list[float]], *runs: Sequence[Seen]) -> tuple[Sequence[list[float]], ...]:
    return tuple([part(seen) for seen in each] for each in runs)


def _over(dying: Sequence[Sequence[float]], alive: Sequence[Sequence[float]]) -> list[float]:
    return [_p99(some) / _p99(all_) for some, all_ in zip(dying, alive, strict=True)]


def _charts(runs: Mapping[str, Sequence[Seen]]) -> list[Chart]:
    return [
        Chart(
            "simulated",
            f"Healthy tenants, simulated, {LOADS[-1]} events/s",
            "time from event to callback (ms)",
            "callbacks (%)",
            {
                name: distribution([ms for seen in each for ms in outage.steady(seen)])
                for name, each in runs.items()
            },
            log="x",
        ),
        Chart(
            "onset",
            f"Healthy tenants' p99 once 5 of 50 endpoints die, {LOADS[-1]} events/s",
            "time since their death (s)",
            "p99 from event to callback (ms)",
            {name: _by_second(each) for name, each in runs.items()},
            log="y",
        ),
    ]


def _by_second(runs: Sequence[Seen]) -> Line:
    seconds: dict[int, list[float]] = defaultdict(list)
    for seen in runs:
        for second, ms in seen:
            seconds[int(second)].append(ms)
    return [(second, round(_p99(each), 1)) for second, each in sorted(seconds.items())]


def _mixed(healthy: Sequence[Listener], others: Sequence[Listener]) -> list[Listener]:
    """Put the others evenly between the healthy ones."""
    share = len(healthy) // len(others)
    return [
        each
        for number, other in enumerate(others)
        for each in (*healthy[number * share : (number + 1) * share], other)
    ]


def _p99(values: Sequence[float]) -> float:
    return percentile(values, 99)
