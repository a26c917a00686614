"""The consumption of fan-out and of the dispatcher for a batch of each shape, counted at a stub of AWS."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import event_path
from benchmarks.consumption import Consumption, Endpoint, endpoint
from tests.aws_stub.responses import Respond, canned, stub_aws
from webhooks.adapters.dynamodb.items import Item, key
from webhooks.adapters.dynamodb.keys import HEAD, community_pk
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook
from webhooks.entrypoints.sqs import Handler
from webhooks_cli.costs.figures import Bytes, MeasuredFigures, Shape

WARM_BATCHES = 3
# The count of all changes of webhooks, which never changes here.
EPOCH: Item = {"pk": {"S": "EPOCH"}, "sk": {"S": "EPOCH"}, "version": {"N": "1"}, "since": {"N": "1"}}


@dataclass(frozen=True, slots=True)
class ShapeCounts:
    """The counts of a batch: keys and index are read before, and connections are open."""

    shape: Shape
    fanout: Consumption
    dispatcher: Consumption
    endpoint: Endpoint
    events_bytes: int

    @property
    def figures(self) -> MeasuredFigures:
        """The shape's figures; CPU stays 0."""
        shape, fanout, dispatcher = self.shape, self.fanout, self.dispatcher
        events, deliveries = shape.events_per_batch, shape.deliveries_per_batch
        return MeasuredFigures(
            shape=shape,
            fanout_read_units_per_event=sum(fanout.read_units.values()) / events,
            fanout_write_units_per_event=fanout.write_units / events,
            fanout_more_calls_per_batch=fanout.calls.total() - fanout.calls["SendMessageBatch"],
            fanout_cpu_ms_per_event=0,
            fanout_cpu_ms_per_further_match=0,
            log_bytes_per_event=fanout.log_bytes / events,
            dispatcher_calls_per_batch=dispatcher.calls.total(),
            read_units_per_message=dispatcher.read_units[event_path.SUBSCRIPTIONS] / shape.messages_per_batch,
            read_units_per_delivery=dispatcher.read_units[event_path.DELIVERIES] / deliveries,
            write_units_per_delivery=dispatcher.write_units / deliveries,
            cpu_ms_per_delivery=0,
            log_bytes_per_delivery=dispatcher.log_bytes / deliveries,
            log_items_per_delivery=dispatcher.items / deliveries,
            log_item_bytes_per_delivery=dispatcher.item_bytes / deliveries,
            message_bytes_per_delivery=fanout.message_bytes / events - self._body,
        )

    @property
    def sizes(self) -> Bytes:
        return Bytes(
            event_more=round(self.events_bytes / self.shape.events_per_batch - self._body),
            request_more=round(self.endpoint.request_bytes / self.shape.deliveries_per_batch - self._body),
        )

    @property
    def _body(self) -> float:
        return self.endpoint.body_bytes / self.shape.deliveries_per_batch


def count(shape: Shape) -> ShapeCounts:
    """Count a batch of a shape. Raises AssertionError where not all was sent."""
    dispatching, fanning = Consumption(), Consumption()
    with endpoint() as receiver:
        webhooks = webhooks_of(shape, receiver.url)
        function = event_path.function("dispatcher", POWERTOOLS_SERVICE_NAME="dispatcher")
        stub_aws(function.app.aws, dispatching.counting(canned(event_path.responses(webhooks))))
        _warm(
            function.lambda_handler, packs_of(webhooks, shape), forget=[dispatching.forget, receiver.forget]
        )
    function = event_path.function("fanout", POWERTOOLS_SERVICE_NAME="fanout")
    batch = events_of(shape)
    stub_aws(function.app.aws, fanning.counting(fanout_aws(batch, matches=1)))
    _warm(function.lambda_handler, batch, forget=[fanning.forget])
    if (receiver.requests, fanning.messages) != (shape.deliveries_per_batch, shape.communities_per_batch):
        raise AssertionError(f"{receiver.requests} callbacks and {fanning.messages} messages were sent")
    events_bytes = sum(len(each["body"].encode()) for each in batch["Records"])
    return ShapeCounts(shape, fanning, dispatching, receiver, events_bytes)


def handle(handler: Handler, batch: dict[str, Any]) -> None:
    """Run a batch. Raises AssertionError where a message failed."""
    response = handler(batch, None)
    if response["batchItemFailures"]:
        raise AssertionError(response)


def webhooks_of(shape: Shape, url: str) -> list[Webhook]:
    """Return a webhook for each message."""
    return [event_path.webhook(number, url) for number in range(1, shape.messages_per_batch + 1)]


def packs_of(webhooks: Sequence[Webhook], shape: Shape) -> dict[str, Any]:
    """Return a batch of deliveries."""
    size = shape.deliveries_per_message
    return event_path.deliveries_batch(
        [(each, range(index * size, index * size + size)) for index, each in enumerate(webhooks)]
    )


def events_of(shape: Shape) -> dict[str, Any]:
    """Return a batch of events: of one tenant where packs are shared, else each of its own tenant."""
    batch = event_path.events_batch(shape.events_per_batch)
    if shape.deliveries_per_message == 1:
        for number, record in enumerate(batch["Records"]):
            record["body"] = json.dumps({**json.loads(record["body"]), "tenantId": f"tn{number:02d}"})
    return batch


def fanout_aws(batch: dict[str, Any], *, matches: int) -> Respond:
    """Return an AWS for a batch of events of which each has so many matches.

    It finds the items that are asked for, and answers the same request with the bytes that it made before, so
    that its own work is in no measurement of CPU.
    """
    tenants = {json.loads(record["body"])["tenantId"] for record in batch["Records"]}
    heads = [
        key(community_pk(Scope(tenant, event_path.SCOPE.community_id)), HEAD) | {"version": {"N": "1"}}
        for tenant in sorted(tenants)
    ]
    webhooks = [event_path.webhook(number, "https://example.com/hook") for number in range(1, matches + 1)]
    items = {item["pk"]["S"]: item for item in [*heads, EPOCH]}
    others = {**event_path.fanout_responses(webhooks), "UpdateItem": b"{}"}
    made: dict[bytes, bytes] = {}

    def respond(operation: str, body: bytes) -> bytes:
        if operation != "BatchGetItem":
            return others[operation]
        if body not in made:
            asked = json.loads(body)["RequestItems"]
            found = {
                table: [items[each["pk"]["S"]] for each in keys["Keys"] if each["pk"]["S"] in items]
                for table, keys in asked.items()
            }
            made[body] = json.dumps({"Responses": found}).encode()
        return made[body]

    return respond


def _warm(handler: Handler, batch: dict[str, Any], *, forget: Sequence[Callable[[], None]]) -> None:
    """Run a batch, and count it once keys, index and versions are read and connections are open."""
    for _ in range(WARM_BATCHES):
        handle(handler, batch)
    for each in forget:
        each()
    handle(handler, batch)
