"""An invocation of fan-out and one of the dispatcher: messages, sends, and the time that Lambda bills."""

from dataclasses import dataclass
from math import ceil

from webhooks_cli.costs.event_path import EventPath
from webhooks_cli.costs.figures import Bytes
from webhooks_cli.costs.load import Load
from webhooks_cli.costs.settings import Settings

REQUEST_BYTES = 64 * 1024  # SQS bills each of them as one request
CALL_MESSAGES, CALL_BYTES = 10, 1024 * 1024  # SendMessageBatch takes no more
INVOCATION_BYTES = 6_000_000  # Lambda's limit of an invocation's payload


@dataclass(frozen=True, slots=True)
class Sends:
    """The sends of an invocation: calls, and the requests that SQS bills for them."""

    calls: int
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FanoutBatch:
    """An invocation of fan-out. `pack`: deliveries in each message that it sends."""

    events: float
    communities: float
    messages: float
    pack: float
    message_bytes: float
    sends: Sends
    ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatcherBatch:
    """An invocation of the dispatcher. `deferral_ms`: where it hands all over to the slow lane."""

    messages: float
    deliveries: float
    ms: int
    deferral_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """All that gives an invocation's figures."""

    load: Load
    path: EventPath
    settings: Settings
    sizes: Bytes

    def fanout(self, events: float, communities: float) -> FanoutBatch:
        """Return the invocation for so many events of so many communities."""
        load, path = self.load, self.path
        events = fitting(events, load.size + self.sizes.event_more)
        communities = min(events, communities)
        room = max(1, self.settings.pack_bytes // (load.size + self.settings.description_bytes))
        pack = min(events / communities, room)
        messages = load.endpoints * events / pack
        message_bytes = pack * load.size + path.message_bytes.of(1, pack)
        sends = sends_of(messages, message_bytes)
        further = max(load.endpoints - 1, 0) * path.fanout_further_match_cpu_ms.of(communities, events)
        cpu_ms = path.fanout_cpu_ms.of(communities, events) + further
        calls = sends.calls + path.fanout_more_calls.of(communities, events)
        return FanoutBatch(
            events=events,
            communities=communities,
            messages=messages,
            pack=pack,
            message_bytes=message_bytes,
            sends=sends,
            ms=self._billed_ms(calls=calls, cpu_ms=cpu_ms, memory_mb=self.settings.memory_mb),
        )

    def dispatcher(self, messages: float, sent: FanoutBatch) -> DispatcherBatch:
        """Return the invocation for so many of fan-out's messages."""
        messages = fitting(messages, sent.message_bytes)
        deliveries = messages * sent.pack
        calls = self.path.calls.of(messages, deliveries)
        cpu_ms = self.path.cpu_ms.of(messages, deliveries)
        memory = self.settings.dispatcher_memory_mb
        return DispatcherBatch(
            messages=messages,
            deliveries=deliveries,
            ms=self._billed_ms(self.load.ms, calls=calls, cpu_ms=cpu_ms, memory_mb=memory),
            deferral_ms=self._billed_ms(calls=calls, cpu_ms=cpu_ms, memory_mb=memory),
        )

    def _billed_ms(self, endpoint_ms: float = 0, *, calls: float, cpu_ms: float, memory_mb: int) -> int:
        """Return T(B) = the slowest endpoint's time + overhead + B * c / (memory / 1,769 MB)."""
        share = min(1.0, memory_mb / self.settings.vcpu_mb)
        return ceil(round(endpoint_ms + calls * self.settings.call_ms + cpu_ms / share, 6))


def sends_of(messages: float, message_bytes: float) -> Sends:
    """Return the sends of so many messages."""
    whole = round(messages * message_bytes, 6)
    calls = max(ceil(round(messages / CALL_MESSAGES, 6)), ceil(whole / CALL_BYTES))
    return Sends(calls, max(calls, ceil(whole / REQUEST_BYTES)))


def requests_of(payload: float) -> int:
    """Return the requests that SQS bills for an action of so many bytes."""
    return max(1, ceil(round(payload / REQUEST_BYTES, 6)))


def fitting(messages: float, message_bytes: float) -> float:
    """Return the number of messages that fit into an invocation."""
    return max(1.0, min(messages, INVOCATION_BYTES // max(1, message_bytes)))
