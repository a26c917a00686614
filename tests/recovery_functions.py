"""The recovery function over fakes: its queue with redeliveries, kills at its effects, the slow lane's reader."""

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from tests.clocks import Clock
from tests.contract.webhooks_made import changed, make_record, make_webhook
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.queues import FakeDeliveryQueue, FakeRecoveryQueue
from tests.fakes.replays import FakeReplays
from tests.fakes.subscriptions import FakeSubscriptions
from tests.random_bytes import DistinctBytes
from webhooks.domain.delivery import Attempt, Delivery, Pack, delivery_id
from webhooks.domain.delivery_log import LogEntry, LogKey, LogPage, LogQuery, Mark, Outcome, log_key
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.errors import UnavailableError
from webhooks.domain.health import Health
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook
from webhooks.services.recovery.checks import WebhookChecks
from webhooks.services.recovery.disabling import Disabling
from webhooks.services.recovery.pages import ReplayPages
from webhooks.services.recovery.reading import PageReader
from webhooks.services.recovery.tasks import RecoveryTasks, TaskMessage

SCOPE = Scope("acme", "north")
BEGAN = 1_789_000_000_000  # when the first delivery's event happened, epoch ms
HIDDEN = 180.0  # seconds after which a message of the recovery queue comes again


class KilledError(BaseException):
    """The process ends, as by SIGKILL: no except clause of ours takes it."""


class Faults:
    """Kills, or refuses, at the effect whose turn it is, or at that of a name; while it `is_on`.

    `points`: all that were passed since `at`. `left`: effects until then, None afterwards.
    """

    def __init__(self) -> None:
        self.points: list[str] = []
        self.left: int | None = None
        self.is_on = True
        self._name: str | None = None
        self._error: Callable[[], BaseException] = KilledError

    def __call__(self, point: str) -> None:
        if not self.is_on:
            return
        self.points.append(point)
        if self.left is not None:
            self.left -= 1
        if point == self._name or (self.left is not None and self.left < 0):
            self.left = self._name = None
            raise self._error()

    def at(self, place: int | str | None, error: Callable[[], BaseException] = KilledError) -> None:
        """Fail at the point of this number from now on, or of this name; None: at none."""
        self.points, self._error = [], error
        self.left = place if isinstance(place, int) else None
        self._name = place if isinstance(place, str) else None


class QuickLog(FakeDeliveryLog):
    """A log whose pages cost what they show, so that tests can have many deliveries."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._order: list[tuple[str, LogKey]] = []
        self._known: set[LogKey] = set()

    def record(self, entries: Sequence[LogEntry]) -> Sequence[LogEntry]:
        new = {entry.key for entry in entries} - self._known
        if len(new) > len(self._order):
            self._order = sorted([*self._order, *((key.delivery_id, key) for key in new)])
        else:
            for key in new:
                insort(self._order, (key.delivery_id, key))
        self._known |= new
        return super().record(entries)

    def oldest(self, query: LogQuery, *, after: LogKey | None, size: int) -> LogPage:
        return self._walk(
            query.webhook_id or "",
            after,
            size,
            lambda entry: (
                entry.outcome is query.outcome
                and query.event_name in (None, entry.delivery.event_name)
                and query.since <= entry.key.log_time <= query.until
            ),
        )

    def backlog(self, webhook_id: str, *, after: LogKey | None, size: int) -> LogPage:
        return self._walk(
            webhook_id, after, size, lambda entry: entry.outcome is Outcome.HELD or entry.is_recoverable
        )

    def line(self, delivery_id: str) -> LogEntry:
        """Return a delivery's line as it was recorded."""
        return self._entries[delivery_id]

    def forget_payload(self, delivery_id: str) -> None:
        """Lose a payload, as by its time to live."""
        self._bodies.pop(delivery_id)

    def enlarge(self, delivery_id: str, size: int) -> None:
        """Make a payload as long as this."""
        self._bodies[delivery_id] = f'{{"text":"{"x" * (size - 11)}"}}'

    def _walk(
        self, webhook_id: str, after: LogKey | None, size: int, fits: Callable[[LogEntry], bool]
    ) -> LogPage:
        found: list[LogEntry] = []
        begin = bisect_right(
            self._order, after.delivery_id if after else webhook_id, key=lambda each: each[0]
        )
        for _, key in self._order[begin:]:
            if key.webhook_id != webhook_id:
                break
            if len(found) == size:
                return LogPage(tuple(found), found[-1].key)
            if fits(self._entries[key.delivery_id]):
                found.append(self.find([key])[key])
        return LogPage(tuple(found), None)


@dataclass
class InFlight:
    """A message of the recovery queue, and when it can be received."""

    message: TaskMessage
    at: float


class RecoveryFunctions:
    """All of it. `respond`: whether the endpoint takes a delivery, True at first."""

    def __init__(self, *, keep_all_payloads: bool = False) -> None:
        self.faults = Faults()
        self.clock = Clock()
        self.log = QuickLog(keep_all_payloads=keep_all_payloads, fault=self.faults)
        self.subscriptions = FakeSubscriptions(
            clock=self.clock, random_bytes=DistinctBytes(), fault=self.faults
        )
        self.replays = FakeReplays(fault=self.faults)
        self.queue = FakeRecoveryQueue(fault=self.faults)
        self.lane = FakeDeliveryQueue(fault=self.faults)
        self.published: list[str] = []
        self.callbacks: Counter[str] = Counter()
        self.sent: list[tuple[Pack, int]] = []
        self.respond: Callable[[Delivery], bool] = lambda _: True
        self._in_flight: list[InFlight] = []
        self._ids = count(1)

    def publish(self, scope: Scope, text: str) -> None:
        assert scope == SCOPE
        self.faults("before events.publish")
        self.published.append(text)
        self.faults("after events.publish")

    @property
    def now(self) -> int:
        return round(self.clock.now * 1000)

    # ---- webhooks and deliveries

    def webhook(self, health: Health | None = None, **changes: Any) -> Webhook:
        webhook_id = self.subscriptions.next_id(SCOPE, now=self.clock.now)
        plain = {"paused": False, "rate_limit": None, "recover": None}
        webhook = make_webhook(webhook_id, SCOPE, **(plain | changes))
        self.subscriptions.add(webhook, make_record(webhook_id))
        if health is not None:
            self.subscriptions.save(webhook, health)
        return self.stored(webhook)

    def stored(self, webhook: Webhook) -> Webhook:
        found = self.subscriptions.get(webhook.scope, webhook.id)
        assert found is not None
        return found

    def set_health(self, webhook: Webhook, **changes: Any) -> None:
        stored = self.stored(webhook)
        self.subscriptions.save(stored, replace(stored.health, **changes))

    def change(self, webhook: Webhook, changes: dict[str, Any] | None) -> None:
        """Change a webhook as its tenant does; None deletes it."""
        stored = self.stored(webhook)
        if changes is None:
            self.subscriptions.remove(stored, make_record(f"remove {webhook.id}"))
        else:
            self.subscriptions.change(stored, changed(stored, **changes), record=None)

    def fill(
        self,
        webhook: Webhook,
        amount: int,
        outcome: Outcome = Outcome.DEAD,
        *,
        first: int = 0,
        name: str = "order.paid",
        **changes: Any,
    ) -> list[str]:
        """Log deliveries, settled a second ago; return their ids, the oldest first."""
        entries = []
        for number in range(first, first + amount):
            event_id, log_time = f"{outcome} {name} {number}", BEGAN + number
            delivery = Delivery(
                delivery_id(event_id, webhook.id, log_time=log_time), event_id, name, log_time, "{}"
            )
            fields = {"settled_at": self.now - 1000, **changes}
            entries.append(LogEntry(log_key(webhook.id, delivery), delivery, SCOPE, outcome, **fields))
        self.log.record(entries)
        return [entry.delivery.id for entry in entries]

    def outcomes(self) -> Counter[Outcome]:
        return Counter(entry.outcome for entry in self.log.entries())

    # ---- the function and its queue

    def tasks(self) -> RecoveryTasks:
        """Compose the function anew, as after a kill."""
        disabling = Disabling(
            subscriptions=self.subscriptions,
            health=self.subscriptions,
            reader=self.log,
            log=self.log,
            queue=self.queue,
            publisher=self,
            clock=self.clock,
        )
        pages = ReplayPages(
            replays=self.replays,
            reader=PageReader(self.log),
            log=self.log,
            lane=self.lane,
            queue=self.queue,
            subscriptions=self.subscriptions,
            health=self.subscriptions,
            clock=self.clock,
            probe_seconds=30,
        )
        checks = WebhookChecks(
            subscriptions=self.subscriptions,
            health=self.subscriptions,
            log=self.log,
            lane=self.lane,
            queue=self.queue,
            replays=self.replays,
            disabling=disabling,
            clock=self.clock,
            random_bytes=DistinctBytes(),
            probe_seconds=30,
            rate=50,
            disable_after_days=5,
        )
        return RecoveryTasks(page=pages.work, check=checks.work, dlq=self.queue)

    def receive(self) -> InFlight | None:
        """Return the next message, and move the clock to when it can be received."""
        for sent in self.queue.queue.take_all():
            message = TaskMessage(f"m{next(self._ids)}", sent.text, receives=0)
            self._in_flight.append(InFlight(message, self.clock.now + sent.delay))
        if not self._in_flight:
            return None
        first = min(self._in_flight, key=lambda each: each.at)
        self.clock.now = max(self.clock.now, first.at)
        first.message = replace(first.message, receives=first.message.receives + 1)
        return first

    def lose_tasks(self) -> None:
        """Lose all messages of the queue."""
        self.queue.queue.take_all()
        self._in_flight.clear()

    def step(self) -> bool:
        """Work on one message, which stays where it is killed or must come again; False without any."""
        received = self.receive()
        if received is None:
            return False
        try:
            failed = self.tasks().work([received.message])
        except KilledError:
            failed = {received.message.id}
        if failed:
            received.at = self.clock.now + HIDDEN
        else:
            self._in_flight.remove(received)
        return True

    def run(self, most: int = 1000) -> None:
        """Work until the queue is empty, dispatching in between."""
        for _ in range(most):
            if not self.step():
                return
            self.dispatch()
        raise AssertionError(f"the queue has messages after {most} steps")

    # ---- the slow lane's reader

    def dispatch(self) -> None:
        """Send what is in the slow lane: the log tells repeats, as in the dispatcher."""
        self.faults.is_on = False  # these are not the function's own effects
        for message in self.lane.slow.take_all():
            pack = decode_pack(message.text)
            self.sent.append((pack, message.delay))
            self._deliver(pack)
        self.faults.is_on = True

    def _deliver(self, pack: Pack) -> None:
        entries = []
        for delivery in pack.deliveries:
            known = self.log.line(delivery.id)
            if known.delivery.tries > delivery.tries:
                continue
            self.callbacks[delivery.id] += 1
            took = self.respond(delivery)
            entry = replace(
                known,
                delivery=delivery.tried(Attempt(self.now, 5, status=200 if took else 500)),
                outcome=Outcome.DELIVERED if took else Outcome.DEAD,
                settled_at=self.now + 1,
                mark=Mark.REPLAY,
                is_recoverable=False,
            )
            entries.append(entry)
        self.log.record(entries)


def refused() -> UnavailableError:
    return UnavailableError("sqs SendMessage: ServiceUnavailable")
