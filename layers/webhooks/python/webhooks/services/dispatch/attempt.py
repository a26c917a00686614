"""One attempt at a webhook's endpoint, its authentication included."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from webhooks.domain.delivery import Delivery
from webhooks.domain.errors import CredentialMissingError
from webhooks.domain.http import ClientCredentials, HttpOutcome, HttpRequest, HttpResponse, NoResponse
from webhooks.domain.redaction import redact, secrets_of
from webhooks.domain.webhook import AuthType, Credential, Webhook
from webhooks.ports import Call, Clock, Conversation, Credentials, Tokens
from webhooks.services.dispatch.callback_request import CallbackSigner, authorization_of

UNAUTHORIZED = 401


class Attempts:
    """Makes attempts. `default_ttl`: seconds an endpoint has where its webhook does not say; `monotonic`: a
    clock in seconds that nobody sets.

    `refresh` and `credential_of` call AWS, before a batch is sent; `sign` and `send` do not.
    """

    def __init__(
        self,
        *,
        tokens: Tokens,
        credentials: Credentials,
        signer: CallbackSigner,
        monotonic: Clock,
        default_ttl: int,
    ) -> None:
        self._tokens = tokens
        self._credentials = credentials
        self._signer = signer
        self._monotonic = monotonic
        self._default_ttl = default_ttl

    def refresh(self) -> None:
        """Read the keys that the next attempts are signed with. Raises UnavailableError."""
        self._signer.refresh()

    def credential_of(self, webhook: Webhook) -> Credential | None:
        """Return what authenticates to the webhook's endpoint.

        Raises CredentialMissingError, also where it is not what the authentication needs; UnavailableError.
        """
        if webhook.definition.endpoint.auth_type is AuthType.NONE:
            return None
        if webhook.credential is None:
            raise CredentialMissingError(webhook.id)
        credential = self._credentials.read(webhook.credential)
        if webhook.definition.endpoint.auth_type is AuthType.OAUTH2:
            _client(webhook, credential)
        return credential

    def seconds(self, webhook: Webhook) -> int:
        """Return how long an attempt may take: one deadline for lookup, token and endpoint together."""
        return webhook.definition.ttl or self._default_ttl

    def sign(self, webhook: Webhook, delivery: Delivery, *, now: float) -> HttpRequest:
        """Return the request of the delivery's next attempt, signed at `now` (epoch s)."""
        return self._signer.request(webhook, delivery, now=now)

    def send(
        self, webhook: Webhook, request: HttpRequest, *, credential: Credential | None
    ) -> Conversation[HttpOutcome]:
        """Make an attempt with a signed request. Its time starts when the conversation does.

        The exchange's latency is the whole attempt's; the answer's excerpt is without the secrets that were
        sent. Raises CredentialMissingError where the credential is not what `credential_of` returns.
        """
        started = self._monotonic()
        until = started + self.seconds(webhook)
        if webhook.definition.endpoint.auth_type is AuthType.OAUTH2:
            exchange = yield from self._send_with_token(webhook, request, credential=credential, until=until)
        else:
            headers = authorization_of(webhook.definition.endpoint.auth_type, credential, token=None)
            exchange = yield from self._exchange(request, headers, credential=credential, until=until)
        return replace(exchange, latency_ms=round((self._monotonic() - started) * 1000))

    def _send_with_token(
        self, webhook: Webhook, request: HttpRequest, *, credential: Credential | None, until: float
    ) -> Conversation[HttpOutcome]:
        client, rejected = _client(webhook, credential), None
        while True:
            left = until - self._monotonic()
            token = yield from self._tokens.token(client, seconds=left, rejected=rejected)
            if isinstance(token, NoResponse):
                return token
            headers = authorization_of(AuthType.OAUTH2, credential, token=token)
            exchange = yield from self._exchange(request, headers, credential=credential, until=until)
            refused = isinstance(exchange, HttpResponse) and exchange.status == UNAUTHORIZED
            if rejected is not None or not refused or UNAUTHORIZED in webhook.definition.success_codes:
                return exchange
            rejected = token

    def _exchange(
        self,
        request: HttpRequest,
        authorization: Mapping[str, str],
        *,
        credential: Credential | None,
        until: float,
    ) -> Conversation[HttpOutcome]:
        authorized = replace(request, headers={**request.headers, **authorization})
        exchange = yield Call(authorized, until - self._monotonic())
        return _redacted(exchange, secrets_of(credential, authorization))


def _redacted(exchange: HttpOutcome, secrets: Iterable[str]) -> HttpOutcome:
    if not isinstance(exchange, HttpResponse):
        return exchange
    kept = list(secrets)
    location = exchange.location and redact(exchange.location, kept)
    return replace(exchange, excerpt=redact(exchange.excerpt, kept), location=location)


def _client(webhook: Webhook, credential: Credential | None) -> ClientCredentials:
    endpoint = webhook.definition.endpoint
    if credential is None or not (
        credential.client_id and credential.client_secret and endpoint.oauth_token_url
    ):
        raise CredentialMissingError(webhook.id)
    return ClientCredentials(
        token_url=endpoint.oauth_token_url,
        client_id=credential.client_id,
        client_secret=credential.client_secret,
        scopes=endpoint.oauth_scopes,
    )
