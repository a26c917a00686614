"""The measured consumption of the event path.

`make bench ONLY=12` measures all of MeasuredFigures anew and names the constants that no longer hold: they
change here then, and `.venv/bin/python -m benchmarks.model_pages` writes docs/cost.md and docs/scale.md anew.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The filling of batches: it decides the share of an invocation and of a call that an event pays for."""

    name: str
    events_per_batch: int  # messages in an invocation of fan-out
    messages_per_batch: int  # messages in an invocation of the dispatcher
    deliveries_per_message: int  # at most; fewer where large bodies fill a pack before
    description: str

    @property
    def communities_per_batch(self) -> int:
        """The communities of fan-out's events: those of one share a message."""
        return self.events_per_batch // min(self.events_per_batch, self.deliveries_per_message)

    @property
    def deliveries_per_batch(self) -> int:
        """The deliveries of an invocation of the dispatcher."""
        return self.messages_per_batch * self.deliveries_per_message


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredFigures:
    """The consumption of one event and one delivery, with warm functions and an endpoint that answers 200.

    benchmarks/figures/cost.py measures them: the functions are composed as Lambda runs them, a stub answers
    for AWS, and the second batch is counted, with keys and index read and connections open.
    """

    shape: Shape
    # Fan-out's reads of a batch: the epoch, consistently, and the marks of the events' second, not so. Its
    # write is a mark for the events of a batch that travel in packs.
    fanout_read_units_per_event: float
    fanout_write_units_per_event: float
    # Fan-out's calls of a batch beside its sends.
    fanout_more_calls_per_batch: float
    # CPU of fan-out's handler (process_time, one thread), divided by its events, for events with one match;
    # and the CPU of each further match.
    fanout_cpu_ms_per_event: float
    fanout_cpu_ms_per_further_match: float
    # Fan-out's log lines, divided by its events.
    log_bytes_per_event: float
    # The dispatcher's calls of one batch: BatchGetItem for each 100 keys, BatchWriteItem for each 25 items.
    # tests/integration/test_call_counts.py holds these and the write units.
    dispatcher_calls_per_batch: float
    # A webhook's item for each message, read consistently, and the log's key of each delivery, not so; a
    # missing item costs half a unit, too.
    read_units_per_message: float
    read_units_per_delivery: float
    write_units_per_delivery: float
    # CPU of the dispatcher's handler, divided by its deliveries: TLS, kept connections.
    cpu_ms_per_delivery: float
    # The dispatcher's log lines, divided by its deliveries.
    log_bytes_per_delivery: float
    # The items of the log, and their bytes as DynamoDB counts them, divided by the deliveries in them.
    log_items_per_delivery: float
    log_item_bytes_per_delivery: float
    # Bytes of a message of the deliveries queue beside the bodies, divided by its deliveries.
    message_bytes_per_delivery: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """The consumption of a call of the API, on average: estimates, not measured."""

    ms: int = 30  # two calls of AWS, and the CPU of figure 6 on a share of a core
    read_units: float = 3  # the license's item and a page of webhooks or deliveries
    log_bytes: int = 1200  # the function's line and API Gateway's


API_CALL = ApiCall()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytes:
    """Bytes that are added to a callback's body; measured as MeasuredFigures are, with a body of 2 KB."""

    event_more: int = 213  # the other fields of a producer's message, as `json.dumps` writes them
    request_more: int = 872  # request line and headers of a callback, four signatures among them
    table_item_more: int = 100  # DynamoDB's addition to an item where it bills storage


BYTES = Bytes()

TRICKLE = Shape(
    name="trickle",
    events_per_batch=1,
    messages_per_batch=1,
    deliveries_per_message=1,
    description="each event and delivery alone in its invocation",
)
SINGLE = Shape(
    name="single",
    events_per_batch=10,
    messages_per_batch=10,
    deliveries_per_message=1,
    description="batches of ten messages, one delivery in each",
)
PACKED = Shape(
    name="packed",
    events_per_batch=10,
    messages_per_batch=10,
    deliveries_per_message=10,
    description="batches of ten messages, ten deliveries in each",
)

MEASURED = {
    "trickle": MeasuredFigures(
        shape=TRICKLE,
        fanout_read_units_per_event=1.5,
        fanout_write_units_per_event=0,
        fanout_more_calls_per_batch=1,
        fanout_cpu_ms_per_event=0.84,
        fanout_cpu_ms_per_further_match=0.038,
        log_bytes_per_event=401,
        dispatcher_calls_per_batch=2,
        read_units_per_message=1,
        read_units_per_delivery=0.5,
        write_units_per_delivery=1,
        cpu_ms_per_delivery=0.99,
        log_bytes_per_delivery=324,
        log_items_per_delivery=1,
        log_item_bytes_per_delivery=315,
        message_bytes_per_delivery=363,
    ),
    "single": MeasuredFigures(
        shape=SINGLE,
        fanout_read_units_per_event=0.15,
        fanout_write_units_per_event=0,
        fanout_more_calls_per_batch=1,
        fanout_cpu_ms_per_event=0.2,
        fanout_cpu_ms_per_further_match=0.067,
        log_bytes_per_event=40,
        dispatcher_calls_per_batch=2,
        read_units_per_message=1,
        read_units_per_delivery=0.5,
        write_units_per_delivery=1,
        cpu_ms_per_delivery=0.33,
        log_bytes_per_delivery=32,
        log_items_per_delivery=1,
        log_item_bytes_per_delivery=315,
        message_bytes_per_delivery=363,
    ),
    "packed": MeasuredFigures(
        shape=PACKED,
        fanout_read_units_per_event=0.15,
        fanout_write_units_per_event=0.1,
        fanout_more_calls_per_batch=2,
        fanout_cpu_ms_per_event=0.17,
        fanout_cpu_ms_per_further_match=0.028,
        log_bytes_per_event=40,
        dispatcher_calls_per_batch=3,
        read_units_per_message=1,
        read_units_per_delivery=0.5,
        write_units_per_delivery=0.1,
        cpu_ms_per_delivery=0.24,
        log_bytes_per_delivery=3.3,
        log_items_per_delivery=0.1,
        log_item_bytes_per_delivery=43,
        message_bytes_per_delivery=225,
    ),
}
