"""A million events of 2 KB to one endpoint that answers in 200 ms, at 100 million events a month.

Both functions are composed as Lambda runs them, and a stub answers for AWS: calls, units, log lines and
bytes are counted, and CPU is measured over kept TLS connections. The model of `webhooks cost` makes a bill
of them, with T(B) = endpoint's time + overhead + B * c / (memory / 1,769 MB) and an overhead of 7.5 ms for
each AWS call. The prices are those of Lambda, SQS, DynamoDB's units, Secrets Manager's calls, log lines and
egress; "all prices" adds KMS and storage. Standing prices, due without any event, are in no reading. Single
deliveries come from ten tenants, packed ones from one; "trickle" is one event at a time, a million a month.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from benchmarks import event_path
from benchmarks.consumption import Consumption, endpoint
from benchmarks.figure import Goal, Measured, Reading
from benchmarks.null_receiver import HOST, null_receiver
from benchmarks.paired import Work, cpu_of
from local.progress import Progress
from tests.aws_stub.responses import canned, stub_aws
from webhooks.adapters.dynamodb.items import key
from webhooks.adapters.dynamodb.keys import HEAD, community_pk
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook
from webhooks.entrypoints.sqs import Handler
from webhooks_cli.costs.bill import Bill, bill_of
from webhooks_cli.costs.figures import BYTES, MEASURED, Bytes, MeasuredFigures, Shape
from webhooks_cli.costs.prices import MILLION, US_EAST_1, Prices
from webhooks_cli.costs.traffic import Load, traffic_of

TITLE = "Dollars for a million events to one endpoint"
AGAINST = "the list prices of others in docs/cost.md"
BOUND = """\
The log's write unit is 0.63 of a single delivery, and reads of the log and of the webhook are 0.25: the
price of an delivery log and of finding repeats. Egress is 0.26, SQS 0.25, log lines 0.22, Lambda 0.21,
fan-out's read of the community's version 0.13. Single deliveries come from ten tenants here; one tenant
would take 0.11 less, log keys read with eventual consistency 0.06 less, functions of 256 MB 0.08 less, at
twice the CPU time of a batch. A packed delivery takes the same write unit: an item for each pack (figure
10) would take 0.5 to 0.7 less, and one log line for each pack another 0.16."""
GOALS = {"single": Goal(1.50), "packed": Goal(0.70)}
MONTH = Load(events=100 * MILLION)  # enough for batches to fill
QUIET = Load(events=MILLION)
LISTED = replace(US_EAST_1, table_gb=0, backup_gb=0, secret=0, key=0, key_requests=0, stored_log_gb=0)
SAMPLES = 5
DELIVERIES = 400  # in one sample of CPU
FURTHER = 5  # matches, to tell the price of each for fan-out
# The distance of the model's constants from the measured values, at most. CPU differs from machine to
# machine, and a third of it is a few hundredths of the bill.
TOLERANCE, CPU_TOLERANCE = 0.1, 0.33


def measure(progress: Progress) -> Measured:
    """Measure the shapes, and compare them with the constants of the model."""
    readings, remarks = [], []
    for name, constants in MEASURED.items():
        with progress.step(f"{name}: calls, units and bytes"):
            counted, sizes = count(constants.shape)
        with progress.step(f"{name}: CPU"):
            samples = list(measure_cpu(counted))
        load = QUIET if name == "trickle" else MONTH
        for label, prices, goal in (
            (name, LISTED, GOALS.get(name)),
            (f"{name}, all prices", US_EAST_1, None),
        ):
            bills = [_bill(load, each, sizes=sizes, prices=prices) for each in samples]
            readings.append(Reading(label, [_per_million(bill.by_events, load) for bill in bills], "$", goal))
        middle = sorted(samples, key=lambda each: each.cpu_ms_per_delivery)[SAMPLES // 2]
        remarks.append(f"{name}: {_lines(_bill(load, middle, sizes=sizes, prices=US_EAST_1), load)}")
        stale = [*_stale(constants, middle), *_stale(BYTES, sizes)]
        remarks += [f"{name}: a constant of `webhooks cost` is out of date: {each}" for each in stale]
    return Measured(readings, remarks=remarks)


def _bill(load: Load, figures: MeasuredFigures, *, sizes: Bytes, prices: Prices) -> Bill:
    return bill_of(load, traffic_of(load, figures, sizes=sizes), prices=prices)


def _per_million(dollars: float, load: Load) -> float:
    return dollars / load.events * MILLION


def _lines(bill: Bill, load: Load) -> str:
    lines = sorted((line for line in bill.lines if not line.standing), key=lambda line: -line.dollars)
    return "; ".join(f"{line.service}, {line.item} ${_per_million(line.dollars, load):.3f}" for line in lines)


def _stale(constants: MeasuredFigures | Bytes, measured: MeasuredFigures | Bytes) -> Iterator[str]:
    found = asdict(measured)
    for name, constant in asdict(constants).items():
        if isinstance(constant, int | float):
            tolerance = CPU_TOLERANCE if "_cpu_" in f"_{name}" else TOLERANCE
            if abs(found[name] - constant) > tolerance * constant:
                yield f"{name} is {found[name]:.4g}, not {constant:.4g}"


def count(shape: Shape) -> tuple[MeasuredFigures, Bytes]:
    """Count the consumption of a shape's second batch; its CPU stays 0."""
    deliveries, events = shape.messages_per_batch * shape.deliveries_per_message, shape.events_per_batch
    dispatching, fanning = Consumption(), Consumption()
    with endpoint() as receiver:
        webhooks = _webhooks(shape, receiver.url)
        function = event_path.function("dispatcher", POWERTOOLS_SERVICE_NAME="dispatcher")
        stub_aws(function.app.aws, dispatching.counting(event_path.responses(webhooks)))
        _second(
            function.lambda_handler, _packs(webhooks, shape), forget=[dispatching.forget, receiver.forget]
        )
    function = event_path.function("fanout", POWERTOOLS_SERVICE_NAME="fanout")
    batch = _events(shape)
    stub_aws(function.app.aws, fanning.counting(_fanout_responses(batch, matches=1)))
    _second(function.lambda_handler, batch, forget=[fanning.forget])
    sent = events // min(events, shape.deliveries_per_message)
    if (receiver.requests, fanning.messages) != (deliveries, sent):
        raise AssertionError(f"{receiver.requests} callbacks and {fanning.messages} messages were sent")
    body = receiver.body_bytes / deliveries
    figures = MeasuredFigures(
        shape=shape,
        fanout_read_units_per_event=sum(fanning.read_units.values()) / events,
        fanout_cpu_ms_per_event=0,
        fanout_cpu_ms_per_further_match=0,
        log_bytes_per_event=fanning.log_bytes / events,
        dispatcher_calls_per_batch=dispatching.calls.total(),
        read_units_per_message=dispatching.read_units[event_path.SUBSCRIPTIONS] / shape.messages_per_batch,
        read_units_per_delivery=dispatching.read_units[event_path.DELIVERIES] / deliveries,
        write_units_per_delivery=dispatching.write_units / deliveries,
        cpu_ms_per_delivery=0,
        log_bytes_per_delivery=dispatching.log_bytes / deliveries,
        log_item_bytes_per_delivery=dispatching.item_bytes / deliveries,
        message_bytes_per_delivery=fanning.message_bytes / events - body,
    )
    sizes = Bytes(
        event_more=round(sum(len(each["body"].encode()) for each in batch["Records"]) / events - body),
        request_more=round(receiver.request_bytes / deliveries - body),
    )
    return figures, sizes


def measure_cpu(counted: MeasuredFigures) -> Iterator[MeasuredFigures]:
    """Yield the figures with samples of CPU."""
    shape = counted.shape
    with null_receiver() as running:
        os.environ["SSL_CERT_FILE"] = str(running.authority)
        webhooks = _webhooks(shape, f"https://{HOST}:{running.https}/hook")
        function = event_path.function("dispatcher")
        stub_aws(function.app.aws, canned(event_path.responses(webhooks)))
        operations = shape.messages_per_batch * shape.deliveries_per_message
        deliver = _work(function.lambda_handler, _packs(webhooks, shape), operations)
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
    batch = _events(shape)
    function = event_path.function("fanout")
    stub_aws(function.app.aws, canned(_fanout_responses(batch, matches=matches)))
    return _work(function.lambda_handler, batch, shape.events_per_batch)


def _work(handler: Handler, batch: dict[str, Any], operations: int) -> Work:
    batches = -(-DELIVERIES // operations)

    def work() -> int:
        for _ in range(batches):
            _handle(handler, batch)
        return batches * operations

    return work


def _second(handler: Handler, batch: dict[str, Any], *, forget: Sequence[Callable[[], None]]) -> None:
    """Run a batch twice: the first reads keys and index and opens connections."""
    _handle(handler, batch)
    for each in forget:
        each()
    _handle(handler, batch)


def _handle(handler: Handler, batch: dict[str, Any]) -> None:
    response = handler(batch, None)
    if response["batchItemFailures"]:
        raise AssertionError(response)


def _webhooks(shape: Shape, url: str) -> list[Webhook]:
    return [event_path.webhook(number, url) for number in range(1, shape.messages_per_batch + 1)]


def _packs(webhooks: Sequence[Webhook], shape: Shape) -> dict[str, Any]:
    size = shape.deliveries_per_message
    return event_path.deliveries_batch(
        [(each, range(index * size, index * size + size)) for index, each in enumerate(webhooks)]
    )


def _events(shape: Shape) -> dict[str, Any]:
    """Return a batch of events: of one tenant where packs are shared, else each of its own tenant."""
    batch = event_path.events_batch(shape.events_per_batch)
    if shape.deliveries_per_message == 1:
        for number, record in enumerate(batch["Records"]):
            record["body"] = json.dumps({**json.loads(record["body"]), "tenantId": f"tn{number:02d}"})
    return batch


def _fanout_responses(batch: dict[str, Any], *, matches: int) -> dict[str, bytes]:
    tenants = {json.loads(record["body"])["tenantId"] for record in batch["Records"]}
    heads = [
        key(community_pk(Scope(tenant, event_path.SCOPE.community_id)), HEAD) | {"version": {"N": "1"}}
        for tenant in sorted(tenants)
    ]
    webhooks = [event_path.webhook(number, "https://example.com/hook") for number in range(1, matches + 1)]
    return {
        **event_path.fanout_responses(webhooks),
        "BatchGetItem": json.dumps({"Responses": {event_path.SUBSCRIPTIONS: heads}}).encode(),
    }
