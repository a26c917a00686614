"""The ports of a simulated container: at each call others run, and a fault can happen."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Protocol

from webhooks.domain.delivery import Pack
from webhooks.domain.delivery_log import LogEntry


class Caller(Protocol):
    """Makes a call of a port: at its time, and with its faults."""

    def __call__(self, name: str, real: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        """Call `real`, which is known as `name`."""


class Port:
    """Stands before a fake; `name` is how faults know it."""

    def __init__(self, name: str, real: Any, *, call: Caller) -> None:
        self._name = name
        self._real = real
        self._call = call

    def __getattr__(self, method: str) -> Callable[..., Any]:
        real = getattr(self._real, method)
        return lambda *args, **named: self._call(f"{self._name}.{method}", real, *args, **named)


def split(name: str, args: Sequence[Any], random: Random) -> tuple[list[Any], list[Any]]:
    """Split a batch call's items into those that take effect, and those that the port returns as not taken."""
    todo = list(args[0])
    taken = random.randint(0, len(todo) - 1)
    random.shuffle(todo)
    refused = todo[taken:]
    has_packs_first = name in ("queue.send_slow", "queue.send_to_dlq")
    return todo[:taken], [each[0] for each in refused] if has_packs_first else refused


def deliveries_of(args: Sequence[Any]) -> set[str]:
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
