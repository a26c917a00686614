"""A community as the pictures show it: fourteen webhooks in all states, deliveries of all outcomes, at a fixed time."""

import random
import uuid
from dataclasses import dataclass, replace
from typing import Any

from tests.browser.service import MINUTE, Service, attempt
from webhooks.domain.delivery import Attempt
from webhooks.domain.delivery_log import Mark, Outcome
from webhooks.domain.health import Health, State, StateChange
from webhooks.domain.http import PhaseTimes

HOUR, DAY = 60 * MINUTE, 1440 * MINUTE  # ms
SPAN = 22 * HOUR
AGE = 41 * DAY  # of the webhooks
OUTAGE = 109 * MINUTE  # since when webhooks are in their states
# Payload, reason and response of deliveries.
ORDER = {
    "orderId": "A-1001",
    "amount": 249.9,
    "currency": "EUR",
    "customer": {"id": "c-77", "country": "DE"},
    "items": [{"sku": "lamp", "quantity": 1}, {"sku": "bulb", "quantity": 4}],
}
DOWN = "the webhook's endpoint is down"
EXHAUSTED = "HTTP 503 at the last of 3 attempts"
GONE = "endpoint gone (HTTP 410)"
REFUSED = "connect: connection refused"
UPSTREAM = "upstream connect error or disconnect/reset before headers. reset reason: connection termination"


@dataclass(frozen=True)
class Shown:
    """A webhook of the pictures; `usual`: ms of its attempts."""

    name: str
    event_names: str
    url: str
    tags: str
    usual: int = 80
    state: State = State.HEALTHY
    count: int = 100  # deliveries
    settings: tuple[tuple[str, Any], ...] = ()


WEBHOOKS = (
    Shown("Identity audit trail", "E_LOGIN_SUCCEEDED", "audit.acme.example/trail", "identity security", 39),
    Shown("Staging mirror", "order.paid", "staging.acme.example/hooks", "staging", 52, State.PAUSED),
    Shown(
        "Payments channel", "webhook.failing webhook.recovered", "chat.acme.example/services/T01", "ops", 97
    ),
    Shown("Tax reporting", "invoice.issued", "tax.ledgerly.example/acme", "finance", 201),
    Shown(
        "Data lake, raw",
        "order.paid invoice.issued customer.updated shipment.dispatched E_LOGIN_SUCCEEDED",
        "ingest.lake.acme.example/raw",
        "data",
        31,
    ),
    Shown(
        "Loyalty points",
        "order.paid order.refunded customer.updated",
        "points.acme.example/credit",
        "crm",
        64,
        settings=(("query", [{"currency": "EUR"}]),),
    ),
    Shown(
        "Shipping labels", "order.paid shipment.dispatched", "labels.parcelhub.example/hook", "warehouse", 156
    ),
    Shown(
        "Refund checker",
        "order.refunded order.paid",
        "refunds.acme.example/check",
        "finance",
        90,
        State.DISABLED,
    ),
    Shown(
        "Login alerts", "E_LOGIN_SUCCEEDED E_LOGIN_FAILED", "siem.acme.example:443/collector", "security", 22
    ),
    Shown("KYC decisions to CRM", "E_IDV_DOCUMENT_VALIDATE", "crm.acme.example/api/kyc", "identity crm", 88),
    Shown(
        "Invoice archive",
        "invoice.issued order.paid",
        "archive.acme.example/in",
        "finance",
        43,
        settings=(("query", [{"currency": "USD"}]),),
    ),
    Shown(
        "Fraud scoring",
        "order.paid E_LOGIN_FAILED",
        "score.fraudline.example/events",
        "risk",
        1840,
        State.SLOW,
    ),
    Shown("Warehouse pick list", "order.paid", "pick.nordwind.example/v2/in", "warehouse", 118, State.HELD),
    Shown(
        "Order sync to ERP",
        "order.paid order.refunded",
        "erp.acme.example/hooks/orders",
        "erp",
        231,
        State.FAILING,
        600,
    ),
)


class Showcase(Service):
    """The community, at NOW. `ids`: webhooks by name; `deliveries`: those that a picture opens, by a word."""

    def __init__(self) -> None:
        super().__init__(is_frozen=True)
        self.random = random.Random(11)
        self.ids: dict[str, str] = {}
        self.deliveries: dict[str, str] = {}
        for shown in WEBHOOKS:
            self._add(shown)
        self._open()

    def _add(self, shown: Shown) -> None:
        settings = dict(shown.settings)
        health, now = self._health(shown.state), self.app.clock.now
        self.app.clock.now = now - AGE // 1000
        webhook_id = self.webhook(
            shown.name,
            health=health,
            eventNames=shown.event_names.split(),
            tags=shown.tags.split(),
            successCodes=[200, 202],
            retryCount=2,
            api={"url": f"https://{shown.url}", "authType": "none"},
            paused=shown.state is State.PAUSED,
            disabled=shown.state is State.DISABLED,
            **settings,
        )
        self.app.clock.now = now
        self.ids[shown.name] = webhook_id
        if shown.state is State.DISABLED:
            stored = self.app.subscriptions.now(webhook_id)
            assert stored is not None
            self.app.subscriptions.put(replace(stored, disabled_reason=GONE))
        names = shown.event_names.split()
        step = SPAN // shown.count
        for number in range(shown.count, 0, -1):
            ago = number * step - self.random.randrange(step * 3 // 4)
            outcome, attempts = self._became(shown, ago)
            self.delivery(
                webhook_id,
                outcome=outcome,
                attempts=[replace(each, at=self.now - ago + each.at) for each in attempts],
                ago=ago,
                event_name=names[self.random.randrange(len(names))],
                event_id=self._event_id(),
                data=ORDER,
                reason=self._reason(shown, outcome, attempts),
                next_at=self.now + 4 * 1000 if outcome is Outcome.RETRYING else None,
                is_recoverable=outcome is Outcome.DEAD,
            )

    def _health(self, state: State) -> Health | None:
        """Return how the endpoint came into its state."""
        since = self.now - OUTAGE
        past = (
            StateChange(self.now - 3 * DAY, State.SLOW, "an attempt took long"),
            StateChange(self.now - 3 * DAY + 4 * MINUTE, State.HEALTHY, "attempts are quick again"),
        )
        failing = StateChange(since, State.FAILING, EXHAUSTED)
        match state:
            case State.SLOW:
                return Health(
                    slow_since=since, changes=(*past, StateChange(since, state, "an attempt took long"))
                )
            case State.FAILING:
                return Health(
                    failing_since=since,
                    backlog_since=since,
                    failures=6,
                    failures_since=since,
                    changes=(*past, failing),
                )
            case State.HELD:
                held = StateChange(
                    since + 2 * MINUTE, state, "10 attempts in a row failed, the last: HTTP 503"
                )
                return Health(
                    failing_since=since,
                    held_since=since + 2 * MINUTE,
                    backlog_since=since,
                    failures=10,
                    failures_since=since,
                    probe_at=self.now + 6 * MINUTE,
                    probe_delay=480,
                    changes=(*past, failing, held),
                )
        return None

    def _became(self, shown: Shown, ago: int) -> tuple[Outcome, list[Attempt]]:
        """Return a delivery's outcome and attempts, whose times are since its event."""
        if shown.state is State.DISABLED and OUTAGE < ago < OUTAGE + 15 * MINUTE:
            return Outcome.DEAD, [attempt(900, 410)]
        if ago >= OUTAGE or shown.state in (State.HEALTHY, State.SLOW):
            first = self._failed(1) if self.random.random() < 0.04 else []
            return Outcome.DELIVERED, [*first, self._answered(shown, at=5_000 if first else 300)]
        if shown.state is State.FAILING and ago < 6 * MINUTE:
            return Outcome.RETRYING, self._failed(1)
        if shown.state is State.FAILING or (shown.state is State.HELD and ago > OUTAGE - 30 * MINUTE):
            return Outcome.DEAD, self._failed(3)
        return (Outcome.SKIPPED if shown.state is State.DISABLED else Outcome.HELD), []

    def _answered(self, shown: Shown, *, at: int) -> Attempt:
        took = max(8, round(shown.usual * self.random.lognormvariate(0, 0.35)))
        lookup, connect, tls = took // 16, took // 6, took // 3
        times = PhaseTimes(lookup, connect, tls, took - 1, took)
        return attempt(at, 200, latency_ms=took, times=times)

    def _failed(self, count: int) -> list[Attempt]:
        times = PhaseTimes(9, 30, 64, 4_210, 4_212)
        return [
            attempt(300 + number * 9_000, 503, latency_ms=4_212, excerpt=UPSTREAM, times=times)
            for number in range(count)
        ]

    def _reason(self, shown: Shown, outcome: Outcome, attempts: list[Attempt]) -> str | None:
        """Return the reason as the service writes it."""
        match outcome:
            case Outcome.HELD:
                return "the webhook is paused" if shown.state is State.PAUSED else DOWN
            case Outcome.SKIPPED:
                return GONE
            case Outcome.DEAD if attempts[-1].status == 410:
                return GONE
            case Outcome.DEAD:
                return EXHAUSTED
            case Outcome.RETRYING:
                return f"HTTP {attempts[-1].status}"
        return None

    def _open(self) -> None:
        """Add the newest deliveries, which pictures open."""
        erp, points = self.ids["Order sync to ERP"], self.ids["Loyalty points"]
        at = self.now - 2 * MINUTE
        attempts = [
            attempt(at + 300, None, latency_ms=12, reason=REFUSED, times=PhaseTimes(8, 0, 0, 0, 12)),
            attempt(at + 5_600, 503, latency_ms=231, excerpt=UPSTREAM, times=PhaseTimes(9, 31, 66, 229, 231)),
            attempt(
                at + 14_000, 503, latency_ms=640, excerpt=UPSTREAM, times=PhaseTimes(8, 42, 130, 636, 640)
            ),
        ]
        self.deliveries["dead"] = self.delivery(
            erp,
            outcome=Outcome.DEAD,
            attempts=attempts,
            ago=2 * MINUTE,
            event_name="order.paid",
            event_id=self._event_id(),
            data=ORDER,
            reason=EXHAUSTED,
            is_recoverable=True,
        )
        self.deliveries["test"] = self.delivery(
            points,
            attempts=[attempt(self.now - MINUTE)],
            ago=MINUTE,
            event_name="order.paid",
            event_id=self._event_id(),
            data=ORDER,
            mark=Mark.TEST,
        )

    def _event_id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))
