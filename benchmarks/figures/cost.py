"""Events of 2 KB to one endpoint that answers in 200 ms, from 0.4 to 1,000 events a second.

Both functions are composed as Lambda runs them, and a stub answers for AWS: calls, units, log lines and
bytes are counted, and CPU is measured over kept TLS connections, for three shapes of batches. "Single": ten
events of ten tenants, ten deliveries. "Packed": ten events of one tenant, ten packs of ten. "Trickle": one
event. The model of `webhooks cost` interpolates between them, fills the batches as Lambda's pollers do (rate
* cycle / pollers), and makes a bill of a month, with T(B) = endpoint's time + overhead + B * c / (memory /
1,769 MB) and an overhead of 7.5 ms for each AWS call. The prices of a shape and of a rate are those of
Lambda, SQS, DynamoDB's units, Secrets Manager's calls, log lines and egress for a million events of a
hundred tenants, even over the month; "all prices" adds KMS and storage. Standing prices, due without any
event, are in the quiet month alone: a million events. "Economy": every parameter of the template that saves
without credentials.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from benchmarks import event_path
from benchmarks.credentials import SHAPE, STORES, batch_runner
from benchmarks.figure import Chart, Goal, Line, Measured, Reading
from benchmarks.null_receiver import HOST, null_receiver
from benchmarks.paired import Work, cpu_of, cpu_ratios
from benchmarks.shape_counts import count, events_of, fanout_aws, handle, packs_of, webhooks_of
from local.progress import Progress
from tests.aws_stub.responses import canned, stub_aws
from webhooks.entrypoints.sqs import Handler
from webhooks_cli.costs.bill import Bill, bill_of
from webhooks_cli.costs.effects import ECONOMIES, Month
from webhooks_cli.costs.event_path import EventPath, interpolated
from webhooks_cli.costs.figures import BYTES, MEASURED, Bytes, MeasuredFigures, Shape
from webhooks_cli.costs.fill import FULL, PACKED, TRICKLE
from webhooks_cli.costs.load import MONTH_SECONDS, Load
from webhooks_cli.costs.prices import MILLION, US_EAST_1
from webhooks_cli.costs.settings import SETTINGS, Settings

TITLE = "Dollars for a million events to one endpoint"
AGAINST = "the list prices of others in docs/cost.md"
BOUND = """\
The log's write unit is 0.63 of a single delivery, the reads of the webhook and of the log's key are 0.19: the
price of a delivery log and of finding repeats. Egress is 0.26, SQS 0.25, Lambda 0.22. Of a packed one, egress
is 0.26 and SQS 0.18; write units are 0.13, and of 0.09 for reads 0.06 find repeats of events that once
travelled alone, by half a unit for each delivery. Log lines are 0.02 to 0.04, a line for a batch with its
metrics; KMS is 0.002. Below 200 events a second the batches are not full, and the invocations and requests of
SQS that fewer messages share cost more than all of that. A quiet month's events come 2.6 s apart, each alone:
requests of SQS are 2.50 of it, the 200 ms of the endpoint in a function of its own 0.72 at 256 MB, standing
prices 1.0."""
GOALS = {"single": Goal(1.40), "packed": Goal(0.70)}
FILLS = {"trickle": TRICKLE, "single": FULL, "packed": PACKED}
BUSY = Load(events=100 * MILLION)  # a shape's month
QUIET = Load(events=MILLION)
RATES = (0.4, 4, 38, 190, 1000)  # events a second
GOAL_RATE, RATE_GOAL = 38, Goal(2.0)  # with BatchingSeconds=1, at 100 million a month
QUIET_GOAL, CREDENTIAL_GOAL = Goal(3.0), Goal(0.01)
CREDENTIALS = 100
WINDOW = replace(SETTINGS, batching_seconds=1)
# AwsOwned excludes sealed credentials, and these months have none.
CHEAPEST = [each for each in ECONOMIES if each.parameter != "CredentialStore"]
ECONOMY = replace(SETTINGS, **{name: value for each in CHEAPEST for name, value in each.changes.items()})
PARAMETERS = {"defaults": SETTINGS, "BatchingSeconds=1": WINDOW, "economy": ECONOMY}
LISTED = replace(US_EAST_1, table_gb=0, backup_gb=0, secret=0, key=0, key_requests=0, stored_log_gb=0)
OTHERS = {"SNS HTTPS": 1.36, "EventBridge API destinations": 1.46}  # docs/cost.md has the sources
DRAWN = [0.4 * 10 ** (step / 4) for step in range(15)]  # events a second, in the chart
SAMPLES = 5
DELIVERIES = 400  # in one sample of CPU
FURTHER = 5  # matches, to tell the price of each for fan-out
# The distance of the model's constants from the measured values, at most. CPU differs from machine to
# machine, and a third of it is a few hundredths of the bill.
TOLERANCE, CPU_TOLERANCE = 0.1, 0.33


@dataclass(frozen=True, slots=True)
class Sample:
    """The measured shapes of one round."""

    path: EventPath
    sizes: Bytes

    def bill(self, month: Month, *, is_listed: bool = True) -> Bill:
        """Return a month's bill."""
        traffic = replace(month, path=self.path).traffic
        prices = LISTED if is_listed else US_EAST_1
        return bill_of(month.load, traffic, settings=month.settings, prices=prices)


def measure(progress: Progress) -> Measured:
    """Measure the shapes, compare them with the constants of the model, and make the bills."""
    figures: dict[str, list[MeasuredFigures]] = {}
    remarks = []
    sizes = BYTES
    for name, constants in MEASURED.items():
        with progress.step(f"{name}: calls, units and bytes"):
            counts = count(constants.shape)
        with progress.step(f"{name}: CPU"):
            figures[name] = sorted(measure_cpu(counts.figures), key=lambda each: each.cpu_ms_per_delivery)
        sizes = counts.sizes
        stale = [*_stale(constants, figures[name][SAMPLES // 2]), *_stale(BYTES, sizes)]
        remarks += [f"{name}: a constant of `webhooks cost` is out of date: {each}" for each in stale]
    samples = [
        Sample(interpolated({name: each[number] for name, each in figures.items()}), sizes)
        for number in range(SAMPLES)
    ]
    middle = samples[SAMPLES // 2]
    remarks = [
        f"{name}: {_lines(middle.bill(_shape_month(name), is_listed=False), _shape_month(name))}"
        for name in FILLS
    ] + remarks
    with progress.step("CPU with credentials"):
        credentials = list(_credential_cpu())
    readings = [*_shapes(samples), *_rates(samples), *_standing(samples), *credentials]
    return Measured(readings, [_chart(middle)], remarks)


def _shapes(samples: Sequence[Sample]) -> Iterator[Reading]:
    for name in FILLS:
        month = _shape_month(name)
        for label, is_listed, goal in ((name, True, GOALS.get(name)), (f"{name}, all prices", False, None)):
            yield Reading(
                label, [_by_events(each, month, is_listed=is_listed) for each in samples], "$", goal
            )
    for name, goal in GOALS.items():
        cheap = replace(_shape_month(name), settings=ECONOMY)
        yield Reading(f"{name}, economy", [_by_events(each, cheap) for each in samples], "$", goal)


def _rates(samples: Sequence[Sample]) -> Iterator[Reading]:
    for rate in RATES:
        for name, settings in PARAMETERS.items():
            month = _rate_month(rate, settings)
            goal = RATE_GOAL if rate == GOAL_RATE and settings is WINDOW else None
            yield Reading(
                f"{rate:,} events/s, {name}", [_by_events(each, month) for each in samples], "$", goal
            )


def _standing(samples: Sequence[Sample]) -> Iterator[Reading]:
    """Yield the readings with standing prices, in dollars a month."""
    for name, settings, goal in (("defaults", SETTINGS, None), ("economy", ECONOMY, QUIET_GOAL)):
        for filling, fill in (("even", None), ("full batches", FULL)):
            month = Month(load=QUIET, settings=settings, fill=fill)
            totals = [each.bill(month, is_listed=False).total for each in samples]
            yield Reading(f"a quiet month, {filling}, {name}", totals, "$", goal)
    table = replace(SETTINGS, has_credentials_in_table=True)
    for name, settings, goal in (("SecretsManager", SETTINGS, None), ("Table", table, CREDENTIAL_GOAL)):
        month = Month(load=QUIET, settings=settings)
        more = replace(month, load=replace(QUIET, credentials=CREDENTIALS))
        prices = [
            (each.bill(more, is_listed=False).total - each.bill(month, is_listed=False).total) / CREDENTIALS
            for each in samples
        ]
        yield Reading(f"a credential, a month, {name}", prices, "$", goal)


def _credential_cpu() -> Iterator[Reading]:
    """Yield the CPU of a delivery whose credential is cached, over one without, in paired runs."""
    with null_receiver() as running:
        os.environ["SSL_CERT_FILE"] = str(running.authority)
        url = f"https://{HOST}:{running.https}/hook"
        none, *others = (_repeated(batch_runner(store, url)) for store in STORES)
        for store, work in zip(STORES[1:], others, strict=True):
            ratios = cpu_ratios(work, none)
            yield Reading(f"CPU of a delivery with a cached credential, {store}, over one without", ratios)


def _repeated(run: Callable[[], None]) -> Work:
    batches = DELIVERIES // SHAPE.deliveries_per_batch

    def work() -> int:
        for _ in range(batches):
            run()
        return batches * SHAPE.deliveries_per_batch

    return work


def _chart(sample: Sample) -> Chart:
    def line(settings: Settings) -> Line:
        months = [(rate, _rate_month(rate, settings)) for rate in DRAWN]
        return [
            (
                round(rate, 2),
                round(sample.bill(month, is_listed=False).total * MILLION / month.load.events, 3),
            )
            for rate, month in months
        ]

    lines: Mapping[str, Line] = {name: line(settings) for name, settings in PARAMETERS.items()}
    others = {name: [(round(rate, 2), price) for rate in DRAWN] for name, price in OTHERS.items()}
    return Chart(
        "rates",
        "A million events to one endpoint, all prices, standing ones too",
        "events a second, even over the month",
        "dollars for a million events",
        {**lines, **others},
        log="xy",
    )


def _shape_month(name: str) -> Month:
    return Month(load=QUIET if name == "trickle" else BUSY, fill=FILLS[name])


def _rate_month(rate: float, settings: Settings) -> Month:
    return Month(load=Load(events=round(rate * MONTH_SECONDS)), settings=settings)


def _by_events(sample: Sample, month: Month, *, is_listed: bool = True) -> float:
    return sample.bill(month, is_listed=is_listed).by_events / month.load.events * MILLION


def _lines(bill: Bill, month: Month) -> str:
    lines = sorted((line for line in bill.lines if not line.standing), key=lambda line: -line.dollars)
    return "; ".join(
        f"{line.service}, {line.item} ${line.dollars / month.load.events * MILLION:.3f}" for line in lines
    )


def _stale(constants: MeasuredFigures | Bytes, measured: MeasuredFigures | Bytes) -> Iterator[str]:
    found = asdict(measured)
    for name, constant in asdict(constants).items():
        if isinstance(constant, int | float):
            tolerance = CPU_TOLERANCE if "_cpu_" in f"_{name}" else TOLERANCE
            if abs(found[name] - constant) > tolerance * constant:
                yield f"{name} is {found[name]:.4g}, not {constant:.4g}"


def measure_cpu(counted: MeasuredFigures) -> Iterator[MeasuredFigures]:
    """Yield the figures with samples of CPU."""
    shape = counted.shape
    with null_receiver() as running:
        os.environ["SSL_CERT_FILE"] = str(running.authority)
        webhooks = webhooks_of(shape, f"https://{HOST}:{running.https}/hook")
        function = event_path.function("dispatcher")
        stub_aws(function.app.aws, canned(event_path.responses(webhooks)))
        deliver = _work(function.lambda_handler, packs_of(webhooks, shape), shape.deliveries_per_batch)
        one, more = (_fan_out(shape, matches) for matches in (1, 1 + FURTHER))
        for work in (deliver, one, more):
            work()
        for _ in range(SAMPLES):
            event = cpu_of(one)
            yield replace(
                counted,
                cpu_ms_per_delivery=cpu_of(deliver) * 1000,
                fanout_cpu_ms_per_event=event * 1000,
                fanout_cpu_ms_per_further_match=max(0.0, cpu_of(more) - event) * 1000 / FURTHER,
            )


def _fan_out(shape: Shape, matches: int) -> Work:
    batch = events_of(shape)
    function = event_path.function("fanout")
    stub_aws(function.app.aws, fanout_aws(batch, matches=matches))
    return _work(function.lambda_handler, batch, shape.events_per_batch)


def _work(handler: Handler, batch: dict[str, object], operations: int) -> Work:
    batches = -(-DELIVERIES // operations)

    def work() -> int:
        for _ in range(batches):
            handle(handler, batch)
        return batches * operations

    return work
