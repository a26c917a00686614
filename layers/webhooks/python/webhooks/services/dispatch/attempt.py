"""One attempt at a webhook's endpoint, its authentication included. Calls no AWS."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace

from webhooks.domain.http import HttpOutcome, HttpRequest, HttpResponse, NoResponse
from webhooks.domain.redaction import redact, secrets_of
from webhooks.domain.values import value_type
from webhooks.domain.webhook import AuthType, Credential, Webhook
from webhooks.ports import Call, Clock, Conversation, Tokens
from webhooks.services.dispatch.loading import client_of
from webhooks.services.dispatch.stages import Attempted, Failed, Signed, failed

UNAUTHORIZED = 401


@value_type(frozen=True, slots=True)
class Countdown:
    """The time of one attempt, which begins at `started` on a monotonic clock."""

    monotonic: Clock
    started: float
    seconds: float

    @property
    def left(self) -> float:
        """Return seconds."""
        return self.started + self.seconds - self.monotonic()

    @property
    def passed_ms(self) -> int:
        """Return milliseconds."""
        return round((self.monotonic() - self.started) * 1000)


class Attempts:
    """Makes attempts. `default_ttl`: seconds an endpoint has where its webhook does not say; `monotonic`: a
    clock in seconds that is never set.
    """

    def __init__(self, *, tokens: Tokens, monotonic: Clock, default_ttl: int) -> None:
        self._tokens = tokens
        self._monotonic = monotonic
        self._default_ttl = default_ttl

    def seconds(self, webhook: Webhook) -> int:
        """Return how long an attempt may take: one deadline for lookup, token and endpoint together."""
        return webhook.definition.ttl or self._default_ttl

    def attempt(self, signed: Signed) -> Conversation[Attempted | Failed]:
        """Make an attempt; an error of ours is a failure of this delivery, and costs no other's."""
        prepared = signed.prepared
        try:
            outcome = yield from self.send(prepared.webhook, signed.request, credential=prepared.credential)
        except Exception as error:  # noqa: BLE001 - the boundary of one delivery
            return failed(prepared.decoded, error)
        return Attempted(signed, outcome)

    def send(
        self, webhook: Webhook, request: HttpRequest, *, credential: Credential | None
    ) -> Conversation[HttpOutcome]:
        """Send a signed request. Its time starts when the conversation does.

        The outcome's latency is the whole attempt's; the response's excerpt is without the secrets that were
        sent. Raises CredentialMissingError where the credential lacks a part that the authentication needs.
        """
        countdown = Countdown(self._monotonic, self._monotonic(), self.seconds(webhook))
        if webhook.definition.endpoint.auth_type is AuthType.OAUTH2:
            outcome = yield from self._send_with_token(webhook, request, credential, countdown=countdown)
        else:
            headers = authorization(webhook.definition.endpoint.auth_type, credential)
            outcome = yield from _call(request, headers, credential, countdown=countdown)
        passed = countdown.passed_ms
        return outcome if outcome.latency_ms == passed else replace(outcome, latency_ms=passed)

    def _send_with_token(
        self, webhook: Webhook, request: HttpRequest, credential: Credential | None, *, countdown: Countdown
    ) -> Conversation[HttpOutcome]:
        client, rejected = client_of(webhook, credential), None
        while True:
            token = yield from self._tokens.token(client, seconds=countdown.left, rejected=rejected)
            if isinstance(token, NoResponse):
                return token
            headers = {"Authorization": f"Bearer {token}"}
            outcome = yield from _call(request, headers, credential, countdown=countdown)
            refused = isinstance(outcome, HttpResponse) and outcome.status == UNAUTHORIZED
            if rejected is not None or not refused or UNAUTHORIZED in webhook.definition.success_codes:
                return outcome
            rejected = token


def _call(
    request: HttpRequest,
    authorization: Mapping[str, str],
    credential: Credential | None,
    *,
    countdown: Countdown,
) -> Conversation[HttpOutcome]:
    if authorization:
        request = replace(request, headers={**request.headers, **authorization})
    outcome = yield Call(request, countdown.left)
    if isinstance(outcome, NoResponse) or not authorization:
        return outcome
    secrets = secrets_of(credential, authorization)
    location = outcome.location and redact(outcome.location, secrets)
    return replace(outcome, excerpt=redact(outcome.excerpt, secrets), location=location)


def authorization(auth_type: AuthType, credential: Credential | None) -> dict[str, str]:
    """Return the header that authenticates to the endpoint, none where the credential has nothing for it."""
    match auth_type, credential:
        case AuthType.BASIC, Credential(username=str(username), password=str(password)):
            return {"Authorization": f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"}
        case AuthType.BEARER, Credential(token=str(bearer)):
            return {"Authorization": f"Bearer {bearer}"}
        case AuthType.API_KEY, Credential(key_name=str(name), key_value=str(value)):
            return {name: value}
    return {}
