"""Tenants and their platform: they register, change and delete webhooks, and publish events."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from zlib import crc32

from signing import Curve, PrivateKey
from tests.clocks import NOW
from tests.fakes.endpoint import ScriptedGuard
from tests.fakes.rate_limiter import FakeRateLimiter
from tests.simulation.history import Publication
from tests.simulation.ports import Port
from tests.simulation.simulation import Simulation
from tests.simulation.tasks import KilledError
from webhooks.domain.caller import AuthLevel, Caller, License
from webhooks.domain.delivery_log import LogQuery, Outcome
from webhooks.domain.errors import (
    ConflictError,
    CorruptError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from webhooks.domain.log_sharing import SPAN
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import AuthType, Credential, Definition, Endpoint
from webhooks.domain.webhook_patch import Patch
from webhooks.services.idempotency import CommunityRequest
from webhooks.services.replays import TenantReplays, Wanted
from webhooks.services.webhooks import Webhooks

INDEX = "index entry"
REPEATED_SHARE = 0.7  # of the requests that got no answer
ONE, OTHER = Scope("t1", "c1"), Scope("t2", "c1")
KEY = PrivateKey.derive(b"c" * 16, b"caller", Curve.SECP256K1).public_key
CALLER = Caller("tests", None, KEY, License(AuthLevel.SYSTEM), KEY, b"")


class Tenants:
    """Each request to the API that changes a webhook is a task, so that deliveries may come between its calls."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.requests = 0
        self.replays = TenantReplays(
            replays=_port(simulation, "replays", simulation.replays),
            log=_port(simulation, "reader", simulation.log),
            subscriptions=_port(simulation, "subscriptions", simulation.subscriptions),
            queue=_port(simulation, "recovery", simulation.recovery_queue),
            limiter=FakeRateLimiter(),
            clock=simulation.clock,
            random_bytes=simulation.random.randbytes,
        )
        self.webhooks = Webhooks(
            subscriptions=_port(simulation, "subscriptions", simulation.subscriptions),
            credentials=_port(simulation, "credentials", simulation.credentials),
            guard=ScriptedGuard(),
            recovery=_port(simulation, "recovery", simulation.recovery_queue),
            clock=simulation.clock,
            webhooks_per_community=1_000,
        )

    def register(
        self,
        scope: Scope = ONE,
        *,
        behaviour: str = "ok",
        credential: Credential | None = None,
        auth_type: AuthType = AuthType.NONE,
        **changes: Any,
    ) -> str:
        """Create a webhook at once, with an endpoint of its own; returns its id."""
        url = f"https://{scope.tenant_id}-{self.requests}.example.com/hook"
        self.simulation.endpoints.behaviours[url] = behaviour
        endpoint = Endpoint(url, auth_type=auth_type)
        if auth_type is AuthType.OAUTH2:
            endpoint = replace(
                endpoint,
                oauth_grant_type="client_credentials",
                oauth_token_url="https://token.example.com/",
            )
        definition = replace(
            Definition(
                event_names=("E_A",), name="n", endpoint=endpoint, success_codes=(200,), created_by="me"
            ),
            **changes,
        )
        before = set(self.simulation.history.revisions)
        request = self._request(scope)
        self.webhooks.create(request, definition=definition, credential=credential, respond=_nothing)
        [webhook_id] = set(self.simulation.history.revisions) - before
        return webhook_id

    def patch(
        self,
        webhook_id: str,
        *,
        credential: Credential | None = None,
        endpoint: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        """Change a webhook while everything else goes on."""
        patch = Patch(fields=fields, endpoint=endpoint or {}, credential=credential)
        self._send(
            webhook_id, lambda request: self.webhooks.update(request, webhook_id, patch, respond=_nothing)
        )

    def delete(self, webhook_id: str) -> None:
        """Delete a webhook while everything else goes on."""
        self._send(webhook_id, lambda request: self.webhooks.delete(request, webhook_id))

    def replay(self, webhook_id: str, *deliveries: str, rate: int = 10) -> None:
        """Replay deliveries of a webhook by their ids, all its dead ones without any."""
        scope = self.scope(webhook_id)
        query = None if deliveries else LogQuery(scope, webhook_id, Outcome.DEAD)
        wanted = Wanted(deliveries, query, rate)
        self._send(webhook_id, lambda request: self.replays.begin(request, wanted))

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something after a time."""
        self.simulation.clock.at(self.simulation.clock.now + seconds, action)

    def corrupt(self, webhook_id: str) -> None:
        """Break a webhook's item."""
        self.simulation.history.broken.add((webhook_id, "cannot be read"))
        self.simulation.subscriptions.corrupt(self.scope(webhook_id), webhook_id)

    def corrupt_index(self, webhook_id: str) -> None:
        """Break a webhook's entries in the index."""
        self.simulation.history.broken.add((webhook_id, INDEX))
        self.simulation.subscriptions.corrupt_entries(webhook_id)

    def lose_secret(self, webhook_id: str) -> None:
        """Delete a webhook's secret behind the service's back."""
        webhook = self.simulation.history.revisions[webhook_id][-1].webhook
        if webhook is not None and webhook.credential is not None:
            self.simulation.history.broken.add((webhook_id, "credential is missing"))
            self.simulation.credentials.delete(webhook.credential)

    def behave(self, webhook_id: str, behaviour: str) -> None:
        """Let a webhook's endpoint behave differently from now on."""
        for revision in self.simulation.history.revisions[webhook_id]:
            if revision.webhook is not None:
                self.simulation.endpoints.behaviours[revision.webhook.definition.endpoint.url] = behaviour

    def heal_after(self, seconds: float) -> None:
        """Let every endpoint respond from a time on."""
        self.after(seconds, self.heal)

    def heal(self) -> None:
        """Let every endpoint respond from now on."""
        for webhook_id in self.simulation.history.revisions:
            self.behave(webhook_id, "ok")

    def publish(
        self, event_id: str, scope: Scope = ONE, name: str = "E_A", kind: str = "a", **more: Any
    ) -> None:
        """Publish an event; the same one again if its id was published before.

        Its time follows from its id, so that some deliveries share an item of the log and others do not.
        """
        more.setdefault("occurredAt", int(NOW) * 1000 + 1 + crc32(event_id.encode()) % (2 * SPAN))
        event = {"eventName": name, "tenantId": scope.tenant_id, "communityId": scope.community_id}
        event |= {"eventId": event_id, "data": {"kind": kind}} | more
        if any(
            each.event and each.event["eventId"] == event_id for each in self.simulation.history.publications
        ):
            self.simulation.history.repeated_events.add(event_id)
        self._put(json.dumps(event), event)

    def publish_text(self, text: str) -> None:
        """Publish a text that is no event."""
        self._put(text, None)

    def scope(self, webhook_id: str) -> Scope:
        """Return the community that a webhook belongs to."""
        return next(
            each.webhook.scope for each in self.simulation.history.revisions[webhook_id] if each.webhook
        )

    def _put(self, text: str, event: dict[str, Any] | None) -> None:
        message = self.simulation.events.put(text)
        self.simulation.history.publications.append(
            Publication(self.simulation.next_tick(), message.id, text, event)
        )
        self.simulation.note(f"published {message.id}: {text[:120]}")

    def _send(self, webhook_id: str, work: Callable[[CommunityRequest], object]) -> None:
        request = self._request(self.scope(webhook_id))

        def send() -> None:
            try:
                with suppress(NotFoundError, ConflictError, InvalidInputError, CorruptError):
                    work(request)
                    self.simulation.history.see_answer(request.idempotency_key, self.simulation.next_tick())
            except (UnavailableError, KilledError) as error:  # the function's end is no end of the client
                self.simulation.note(f"{request.idempotency_key}: {error!r}")
                if self.simulation.random.random() < REPEATED_SHARE:
                    self.after(self.simulation.random.uniform(0, 30), lambda: self.simulation.begin(send))

        self.simulation.begin(send)

    def _request(self, scope: Scope) -> CommunityRequest:
        self.requests += 1
        return CommunityRequest(
            CALLER, scope, f"request {self.requests}", int(self.simulation.clock.now) + 600
        )


def _nothing(*_: object) -> str:
    return ""


def _port(simulation: Simulation, name: str, real: object) -> Any:
    return Port(name, real, call=simulation.call_without_fault)
