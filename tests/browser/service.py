"""The console's service: the API's functions over one state in memory, behind an address, with webhooks and deliveries."""

import base64
import json
import time
import uuid
from collections.abc import Sequence
from typing import Any

from signing import Curve
from tests.factories import COMMUNITY, SCOPE, SYSTEM, TENANT, Client, InMemoryApp
from tests.http_app import HttpApp
from webhooks.domain.delivery import Attempt, Delivery, delivery_id
from webhooks.domain.delivery_log import LogEntry, Mark, Outcome, log_key
from webhooks.domain.health import Health
from webhooks.domain.http import PhaseTimes

MINUTE = 60_000  # ms
TIMES = PhaseTimes(lookup=9, connect=30, tls=64, first_byte=142, total=143)


class Service:
    """An InMemoryApp over HTTP. `is_frozen`: its clock stands at NOW, and so must the browser's."""

    def __init__(self, *, is_frozen: bool = False, curve: Curve = Curve.SECP256K1) -> None:
        self.app = InMemoryApp(limit=20_000, curve=curve)
        self.app.limiter.unlimited = ("C-",)  # tests open the dialog that counts one after another
        self.is_frozen = is_frozen
        self.server = HttpApp(self.app, runs=not is_frozen)
        if not is_frozen:
            self.app.clock.now = time.time()

    @property
    def now(self) -> int:
        """Return the time in epoch ms."""
        return int(self.app.clock() * 1000)

    @property
    def url(self) -> str:
        return self.server.url

    def ready(self, *, by: Client = SYSTEM, community: str = COMMUNITY, tenant: str = TENANT) -> str:
        """Return the address that opens the console connected."""
        given = {
            "keyId": by.pair.public,
            "keySecret": base64.b64encode(by.scalar.to_bytes(32)).decode(),
            "license": by.license_key,
            "tenant": tenant,
            "community": community,
        }
        packed = base64.urlsafe_b64encode(json.dumps(given).encode()).decode()
        return f"{self.url}/console#/connect?ready={packed}"

    def webhook(self, name: str, *, health: Health | None = None, **changes: Any) -> str:
        """Create a webhook; returns its id. `health`: of its endpoint from now on."""
        webhook_id: str = self.app.create(name=name, **changes)["_id"]
        if health is not None:
            stored = self.app.subscriptions.get(SCOPE, webhook_id)
            assert stored is not None
            self.app.subscriptions.save(stored, health)
        return webhook_id

    def delivery(
        self,
        webhook_id: str,
        *,
        outcome: Outcome = Outcome.DELIVERED,
        attempts: Sequence[Attempt] | None = None,
        ago: int = 0,
        event_name: str = "E_LOGIN",
        event_id: str | None = None,
        data: Any = None,
        reason: str | None = None,
        next_at: int | None = None,
        mark: Mark | None = None,
        is_recoverable: bool = False,
    ) -> str:
        """Put a delivery into the log, its event `ago` ms before now; returns its id."""
        at = self.now - ago
        event_id = event_id or str(uuid.uuid4())
        body = {
            "id": event_id,
            "type": event_name,
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at / 1000)),
            "tenantId": TENANT,
            "communityId": COMMUNITY,
            "data": data if data is not None else {"orderId": "A-1001", "amount": 249.90},
        }
        if attempts is None:
            attempts = [] if outcome in (Outcome.HELD, Outcome.SKIPPED) else [attempt(at)]
        made = Delivery(
            id=delivery_id(event_id, webhook_id, log_time=at),
            event_id=event_id,
            event_name=event_name,
            log_time=at,
            body=json.dumps(body),
            attempts=tuple(attempts),
        )
        entry = LogEntry(
            key=log_key(webhook_id, made),
            delivery=made,
            scope=SCOPE,
            outcome=outcome,
            settled_at=at,
            reason=reason,
            next_at=next_at,
            mark=mark,
            is_recoverable=is_recoverable,
        )
        assert not self.app.deliveries.record([entry])
        return made.id

    def close(self) -> None:
        self.server.__exit__()


def attempt(
    at: int,
    status: int | None = 200,
    *,
    latency_ms: int = 143,
    reason: str | None = None,
    excerpt: str | None = '{"ok":true}',
    times: PhaseTimes | None = TIMES,
) -> Attempt:
    return Attempt(
        at=at,
        latency_ms=latency_ms,
        status=status,
        reason=reason,
        address="203.0.113.24",
        excerpt=excerpt if status else None,
        times=times,
    )
