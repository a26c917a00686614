"""Sends a test event to one webhook, at once, by the parts that send its deliveries.

It is signed, guarded and authenticated as they are, and recorded in the delivery log with its mark. It is
sent once: it has no retry, is never dead-lettered, and does not count for the endpoint's health.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from webhooks.domain.delivery import Attempt, Delivery, delivery_of
from webhooks.domain.delivery_log import LogEntry, Mark, Outcome, log_key
from webhooks.domain.errors import (
    ConflictError,
    CorruptError,
    CredentialMissingError,
    InvalidEventError,
    InvalidInputError,
    NotFoundError,
    StaleError,
    TooManyRequestsError,
    UnavailableError,
)
from webhooks.domain.event import Event, iso_time, parse_event
from webhooks.domain.http import HttpOutcome, HttpRequest, HttpResponse, NoResponse, NoResponseReason
from webhooks.domain.json_text import write_json
from webhooks.domain.redaction import REDACTED
from webhooks.domain.scope import Scope
from webhooks.domain.values import value_type
from webhooks.domain.webhook import AuthType, Credential, Webhook
from webhooks.ports import BatchReader, Clock, DeliveryLog, HttpClient, RandomBytes, RateLimiter
from webhooks.services.dispatch.attempt import Attempts, authorization
from webhooks.services.dispatch.callback_request import CallbackSigner
from webhooks.services.dispatch.decision import attempt_of
from webhooks.services.dispatch.loading import Loader
from webhooks.services.dispatch.preparation import MISSING
from webhooks.services.webhooks import NO_WEBHOOK

EVENT_ID_BYTES = 12
PER_SECOND = 1  # tests of a webhook
DATA: Mapping[str, Any] = {"test": True}  # of a test that gives none
# A sentence for each reason; {detail} is the client's, {seconds} the endpoint's time.
_SENTENCES: Mapping[NoResponseReason, str] = {
    NoResponseReason.REFUSED: "the service may not connect to the webhook's URL ({detail})",
    NoResponseReason.DNS: "the host of the webhook's URL was not found: {detail}",
    NoResponseReason.CONNECT: "the endpoint took no connection: {detail}",
    NoResponseReason.TLS: "the endpoint has no TLS that the service trusts: {detail}",
    NoResponseReason.RESET: "the endpoint ended the connection before it responded: {detail}",
    NoResponseReason.DEADLINE: "the endpoint did not respond within {seconds} s: {detail}",
    NoResponseReason.MALFORMED: "the endpoint's response is not valid HTTP: {detail}",
    NoResponseReason.OAUTH: "there is no access token, so nothing was sent to the endpoint: {detail}",
}

logger = logging.getLogger(__name__)


@value_type(frozen=True, slots=True)
class WebhookTest:
    """A test event after its attempt, which `delivery` has.

    `request`: as it was sent, with the credential redacted. `reason`: one sentence that says why it failed,
    None where it did not.
    """

    delivery: Delivery
    request: HttpRequest
    outcome: HttpOutcome
    reason: str | None


class WebhookTests:
    """The use case. `clock`: epoch seconds."""

    def __init__(
        self,
        *,
        reader: BatchReader,
        loader: Loader,
        signer: CallbackSigner,
        attempts: Attempts,
        http: HttpClient,
        log: DeliveryLog,
        limiter: RateLimiter,
        clock: Clock,
        random_bytes: RandomBytes,
    ) -> None:
        self._reader = reader
        self._loader = loader
        self._signer = signer
        self._attempts = attempts
        self._http = http
        self._log = log
        self._limiter = limiter
        self._clock = clock
        self._random_bytes = random_bytes

    def send(
        self, scope: Scope, webhook_id: str, *, event_name: str | None, data: Mapping[str, Any] | None
    ) -> WebhookTest:
        """Send an event to a webhook; its first event name, and DATA, where they are None.

        Raises NotFoundError, InvalidInputError, ConflictError where the webhook cannot get any event,
        TooManyRequestsError, UnavailableError.
        """
        webhook = self._webhook(scope, webhook_id)
        event = self._event(webhook, event_name or webhook.definition.event_names[0], data)
        self._take_turn(webhook)
        credential = self._credential(webhook)
        self._signer.refresh()
        delivery = delivery_of(event, webhook.id)
        now = self._clock()
        request = self._signer.request(webhook, delivery, now=now)
        outcome = self._attempt(webhook, request, credential)
        tried = delivery.tried(attempt := attempt_of(outcome, webhook, at=round(now * 1000)))
        reason = _reason(outcome, webhook, seconds=self._attempts.seconds(webhook))
        self._record(webhook, tried, reason)
        _report(webhook, tried, attempt, reason=reason)
        return WebhookTest(tried, _shown(request, webhook, credential, outcome=outcome), outcome, reason)

    def _webhook(self, scope: Scope, webhook_id: str) -> Webhook:
        """Return a webhook that can get events. Raises NotFoundError, ConflictError."""
        webhook = self._reader.read([(scope, webhook_id)], []).webhooks.get((scope, webhook_id))
        if isinstance(webhook, CorruptError):
            raise webhook
        if webhook is None:
            raise NotFoundError(NO_WEBHOOK)
        if not webhook.enabled:
            why = f": {webhook.disabled_reason}" if webhook.disabled_reason else ""
            raise ConflictError(f"the webhook is disabled{why}; enable it, then send the test again")
        return webhook

    def _event(self, webhook: Webhook, name: str, data: Mapping[str, Any] | None) -> Event:
        """Return an event that happens now, made as those are that come from the queue."""
        names = webhook.definition.event_names
        if name not in names:
            raise InvalidInputError([f"eventName: must be one of the webhook's: {', '.join(names)}"])
        now, event_id = round(self._clock() * 1000), f"test-{self._random_bytes(EVENT_ID_BYTES).hex()}"
        text = write_json(
            {
                "eventId": event_id,
                "eventName": name,
                "occurredAt": iso_time(now),
                "tenantId": webhook.scope.tenant_id,
                "communityId": webhook.scope.community_id,
                "data": DATA if data is None else data,
            }
        )
        try:
            return parse_event(text, message_id=event_id, sent_at=now)
        except InvalidEventError as error:
            raise InvalidInputError([f"data: {error}"]) from None

    def _take_turn(self, webhook: Webhook) -> None:
        now = round(self._clock() * 1000)
        if not self._limiter.take(f"T-{webhook.id}", rate=PER_SECOND, now=now):
            raise TooManyRequestsError(
                "a webhook gets one test a second; send this one again later", seconds=PER_SECOND
            )

    def _credential(self, webhook: Webhook) -> Credential | None:
        match self._loader.load_credentials([webhook]).get(webhook.id):
            case CredentialMissingError():
                raise ConflictError(MISSING)
            case StaleError():
                raise ConflictError("the webhook was changed by others meanwhile; send the test again")
            case Exception() as error:
                raise error
            case credential:
                return credential

    def _attempt(self, webhook: Webhook, request: HttpRequest, credential: Credential | None) -> HttpOutcome:
        conversation = self._attempts.send(webhook, request, credential=credential)
        [outcome] = [each for ended in self._http.send_all([conversation], pause=math.inf) for each in ended]
        if isinstance(outcome, NoResponse) and outcome.reason is NoResponseReason.REFUSED:
            return replace(outcome, address=None)  # it may be known inside a network only
        return outcome

    def _record(self, webhook: Webhook, delivery: Delivery, reason: str | None) -> None:
        """Record a test; one that cannot be recorded was sent all the same."""
        entry = LogEntry(
            log_key(webhook.id, delivery),
            delivery,
            webhook.scope,
            outcome=Outcome.DELIVERED if reason is None else Outcome.DEAD,
            settled_at=round(self._clock() * 1000),
            reason=reason,
            mark=Mark.TEST,
        )
        try:
            is_lost = bool(self._log.record([entry]))
        except UnavailableError:
            is_lost = True
        if is_lost:
            logger.error("test_event.unrecorded", extra={"delivery_id": delivery.id})


def _reason(outcome: HttpOutcome, webhook: Webhook, *, seconds: int) -> str | None:
    """Say in one sentence why an attempt failed; None where it did not."""
    if isinstance(outcome, NoResponse):
        return _SENTENCES[outcome.reason].format(detail=outcome.detail, seconds=seconds)
    codes = webhook.definition.success_codes
    if outcome.status in codes:
        return None
    to = f" to {outcome.location}" if outcome.location else ""
    listed = ", ".join(map(str, codes))
    return (
        f"the endpoint responded with HTTP {outcome.status}{to}, and the webhook's success codes are {listed}"
    )


def _shown(
    request: HttpRequest, webhook: Webhook, credential: Credential | None, *, outcome: HttpOutcome
) -> HttpRequest:
    """Return a request as it was sent, with the values that authenticate it redacted."""
    auth_type = webhook.definition.endpoint.auth_type
    headers = dict.fromkeys(authorization(auth_type, credential), REDACTED)
    has_token = isinstance(outcome, HttpResponse) or outcome.reason is not NoResponseReason.OAUTH
    if auth_type is AuthType.BASIC:
        headers = dict.fromkeys(headers, f"Basic {REDACTED}")
    elif auth_type is AuthType.BEARER:
        headers = dict.fromkeys(headers, f"Bearer {REDACTED}")
    elif auth_type is AuthType.OAUTH2 and has_token:
        headers = {"Authorization": f"Bearer {REDACTED}"}
    return replace(request, headers={**request.headers, **headers})


def _report(webhook: Webhook, delivery: Delivery, attempt: Attempt, *, reason: str | None) -> None:
    logger.info(
        "test_event.sent",
        extra={
            "delivery_id": delivery.id,
            "webhook_id": webhook.id,
            "tenant_id": webhook.scope.tenant_id,
            "community_id": webhook.scope.community_id,
            "event_id": delivery.event_id,
            "event_name": delivery.event_name,
            "status": attempt.status,
            "reason": reason,
            "address": attempt.address,
            "location": attempt.location,
            "latency_ms": attempt.latency_ms,
            "times_ms": attempt.times and attempt.times._asdict(),
        },
    )
