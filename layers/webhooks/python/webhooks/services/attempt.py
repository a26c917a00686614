"""One attempt at a webhook's endpoint, its authentication included."""

from collections.abc import Iterable
from dataclasses import replace

from webhooks.domain.delivery import Delivery
from webhooks.domain.exchange import Answer, ClientCredentials, Exchange, NoAnswer
from webhooks.domain.redaction import redact, secrets_of
from webhooks.domain.webhook import AuthType, Credential, Webhook
from webhooks.ports import Clock, CredentialMissingError, Credentials, Endpoint, Tokens
from webhooks.services.callback import CallbackSigner, authorization_of

UNAUTHORIZED = 401


class Attempts:
    """Sends deliveries. `default_ttl`: seconds an endpoint has where its webhook does not say; `monotonic`: a
    clock in seconds that nobody sets.
    """

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        tokens: Tokens,
        credentials: Credentials,
        signer: CallbackSigner,
        monotonic: Clock,
        default_ttl: int,
    ) -> None:
        self._endpoint = endpoint
        self._tokens = tokens
        self._credentials = credentials
        self._signer = signer
        self._monotonic = monotonic
        self._default_ttl = default_ttl

    def refresh(self) -> None:
        """Read the keys that sign a batch, so that no attempt waits for it. Raises UnavailableError."""
        self._signer.refresh()

    def send(self, webhook: Webhook, delivery: Delivery, *, now: float) -> Exchange:
        """Make one attempt, signed at `now` (epoch s). One deadline holds for token and endpoint together.

        The answer's excerpt is without the secrets that were sent.
        Raises CredentialMissingError, UnavailableError.
        """
        seconds = webhook.definition.ttl or self._default_ttl
        credential = self._credential(webhook)
        started = self._monotonic()

        def left() -> float:
            return seconds - (self._monotonic() - started)

        if webhook.definition.api.auth_type is not AuthType.OAUTH2:
            headers = authorization_of(webhook.definition.api.auth_type, credential, token=None)
            request = self._signer.request(webhook, delivery, now=now, authorization=headers)
            exchange = self._endpoint.exchange(request, seconds=left())
            return _redacted(exchange, secrets_of(credential, headers))

        client, rejected = _client(webhook, credential), None
        for last in (False, True):
            token = self._tokens.token(client, seconds=left(), rejected=rejected)
            if isinstance(token, NoAnswer):
                return token
            headers = authorization_of(AuthType.OAUTH2, credential, token=token)
            request = self._signer.request(webhook, delivery, now=now, authorization=headers)
            exchange = self._endpoint.exchange(request, seconds=left())
            refused = isinstance(exchange, Answer) and exchange.status == UNAUTHORIZED
            if last or not refused or UNAUTHORIZED in webhook.definition.success_codes:
                break
            rejected = token
        return _redacted(exchange, secrets_of(credential, headers))

    def _credential(self, webhook: Webhook) -> Credential | None:
        if webhook.definition.api.auth_type is AuthType.NONE:
            return None
        if webhook.credential is None:
            raise CredentialMissingError(webhook.id)
        return self._credentials.read(webhook.credential)


def _redacted(exchange: Exchange, secrets: Iterable[str]) -> Exchange:
    if not isinstance(exchange, Answer):
        return exchange
    kept = list(secrets)
    location = exchange.location and redact(exchange.location, kept)
    return replace(exchange, excerpt=redact(exchange.excerpt, kept), location=location)


def _client(webhook: Webhook, credential: Credential | None) -> ClientCredentials:
    api = webhook.definition.api
    if credential is None or not (credential.client_id and credential.client_secret and api.oauth_token_url):
        raise CredentialMissingError(webhook.id)
    return ClientCredentials(
        token_url=api.oauth_token_url,
        client_id=credential.client_id,
        client_secret=credential.client_secret,
        scopes=api.oauth_scopes,
    )
