"""The calls of ports in a simulation: each lets others run, may fail, and is noted in the history."""

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from tests.simulation.faults import Kind
from tests.simulation.history import Revision
from tests.simulation.tasks import KilledError
from webhooks.domain.delivery import Pack
from webhooks.domain.delivery_log import LogEntry, LogKey
from webhooks.domain.errors import UnavailableError
from webhooks.domain.webhook import Webhook
from webhooks.ports import BatchContext, IdempotencyRecord

if TYPE_CHECKING:
    from tests.simulation.simulation import Running, Simulation

# Calls whose first argument is a list of packs, each with something else.
CHANGES = ("subscriptions.add", "subscriptions.change", "subscriptions.remove")
PACKS_FIRST = ("queue.send_slow", "queue.send_to_dlq", "slow_lane.send_slow")


class PortCalls:
    """Makes the calls of a simulation."""

    def __init__(self, simulation: "Simulation") -> None:
        self._simulation = simulation
        self._changing: dict[Running | None, tuple[str, Sequence[Any], str | None]] = {}
        self._fault: Kind | None = None

    def make(self, name: str, real: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        """Make a call of a port, with its fault."""
        self._simulation.pause()
        fault = self._simulation.faults.choose(name)
        if fault is not None:
            self._simulation.history.faults[f"{name}: {fault}"] += 1
            self._simulation.note(f"{name}: {fault}")
        if fault is Kind.KILLED_BEFORE:
            raise KilledError
        if fault is Kind.ERROR:
            self._fail(name, _deliveries_of(args))
            raise UnavailableError(f"{name}: throttled")
        if fault is Kind.PARTIAL:
            taken, refused = _split(name, args, self._simulation.random)
            self._fail(name, _deliveries_of([refused]))
            self._effect(name, real, taken)
            return refused
        result = self._effect(name, real, *args, **named)
        if fault is Kind.KILLED_AFTER:
            raise KilledError
        if fault is Kind.LOST_RESPONSE:
            self._fail(name, _deliveries_of(args))
            raise UnavailableError(f"{name}: timed out")
        return result

    def make_without_fault(self, name: str, real: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        """Make a call of a port that is not under test here: it always works."""
        self._simulation.pause()
        return self._effect(name, real, *args, **named)

    def _effect(self, name: str, real: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        if name in CHANGES:
            record = named.get("record") or args[-1]
            key = record.key if isinstance(record, IdempotencyRecord) else None
            self._changing[self._simulation.current] = name, args, key
        result = real(*args, **named)
        self._simulation.move_messages()
        if name == "batch.read":
            self._see(result, args[1])
        if name == "batch.look":
            self._see_shared(result)
        if name == "log.record":
            tick = self._simulation.next_tick()
            self._simulation.invocation.recorded |= dict.fromkeys(_deliveries_of(args), tick)
            for entry in args[0]:
                self._simulation.note(
                    f"log {entry.delivery.id}: {entry.outcome} after {len(entry.delivery.attempts)}"
                )
        if name in ("credentials.create", "credentials.replace"):
            self._simulation.history.credentials[result] = (
                named["credential"] if "credential" in named else args[1]
            )
        return result

    def on_store_effect(self, point: str) -> None:
        """Note a change once it is stored, and when fan-out must see it. In between it may fail."""
        when, _, name = point.partition(" ")
        current = self._simulation.current
        if when == "after" and name in CHANGES:
            self._revise(*self._changing.pop(current))
        if name != "subscriptions.next_epoch":
            return
        if when == "before":
            self._simulation.pause()
            self._fault = self._simulation.faults.choose(name) if current else None
            if self._fault is not None:
                self._simulation.history.faults[f"{name}: {self._fault}"] += 1
                self._simulation.note(f"{name}: {self._fault}")
            self._end(name, Kind.KILLED_BEFORE, Kind.ERROR)
            return
        self._simulation.history.see_all_revisions(self._simulation.next_tick())
        self._end(name, Kind.KILLED_AFTER, Kind.LOST_RESPONSE)

    def _end(self, name: str, kill: Kind, error: Kind) -> None:
        fault, self._fault = self._fault, None
        if fault is kill:
            raise KilledError
        if fault is error:
            raise UnavailableError(f"{name}: {fault}")
        self._fault = fault

    def _see(self, read: BatchContext, keys: Sequence[LogKey]) -> None:
        invocation = self._simulation.invocation
        for each in keys:
            logged = read.logged.get(each)
            began = self._simulation.history.looks_began.get(each.delivery_id)
            invocation.read_at[each.delivery_id] = self._simulation.tick if began is None else began
            invocation.seen[each.delivery_id] = logged.tries if logged else 0
            invocation.outcomes.pop(each.delivery_id, None)
            if logged:
                invocation.outcomes[each.delivery_id] = logged.outcome
        for webhook in read.webhooks.values():
            if isinstance(webhook, Webhook):
                invocation.webhooks[webhook.id] = webhook

    def _see_shared(self, read: BatchContext) -> None:
        for each in read.looked_to:
            began = self._simulation.invocation.read_at[each.delivery_id]
            self._simulation.history.looks_began.setdefault(each.delivery_id, began)
        for each, logged in read.logged.items():
            self._simulation.invocation.seen[each.delivery_id] = logged.tries
            self._simulation.invocation.outcomes[each.delivery_id] = logged.outcome

    def _fail(self, name: str, deliveries: set[str]) -> None:
        if name == "log.record":
            self._simulation.invocation.unrecorded |= deliveries
        elif name in PACKS_FIRST:
            self._simulation.invocation.untaken |= deliveries

    def _revise(self, name: str, args: Sequence[Any], request: str | None) -> None:
        webhook = args[1] if name == "subscriptions.change" else args[0]
        after = None if name == "subscriptions.remove" else webhook
        revision = Revision(
            self._simulation.next_tick(), after, stored_at=self._simulation.clock(), request=request
        )
        self._simulation.history.revisions.setdefault(webhook.id, []).append(revision)
        self._simulation.note(f"{name} {webhook.id} enabled={after.enabled if after else None}")


def _split(name: str, args: Sequence[Any], random: Random) -> tuple[list[Any], list[Any]]:
    """Split a batch call's items into those that take effect, and those that the port returns as not taken."""
    todo = list(args[0])
    taken = random.randint(0, len(todo) - 1)
    random.shuffle(todo)
    refused = todo[taken:]
    return todo[:taken], [each[0] for each in refused] if name in PACKS_FIRST else refused


def _deliveries_of(args: Sequence[Any]) -> set[str]:
    """Return the ids of the deliveries in a call's first argument."""
    if not args or not isinstance(args[0], list | tuple):
        return set()
    ids: set[str] = set()
    for each in args[0]:
        thing = each[0] if isinstance(each, tuple) else each
        if isinstance(thing, Pack):
            ids |= {delivery.id for delivery in thing.deliveries}
        elif isinstance(thing, LogEntry):
            ids.add(thing.delivery.id)
    return ids
