"""The request of one attempt: the endpoint's own authentication, and the signatures over its exact bytes."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from signing import CallbackKeys, derive_webhook_secret, sign_callback, thumbprint
from webhooks.domain.delivery import Delivery
from webhooks.domain.endpoint_url import parse_url
from webhooks.domain.exchange import HttpRequest
from webhooks.domain.keyring import KeyPairs
from webhooks.domain.webhook import AuthType, Credential, Webhook
from webhooks.ports import KeyStore, MasterSecret

CONTENT_TYPE = "application/json"
USER_AGENT = "webhooks/1"
SECRETS = 1024  # webhooks' own secrets that are remembered: deriving one costs a third of a signature


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The keys of a moment: what callbacks are signed with, and which pairs they came from."""

    service: KeyPairs
    content: KeyPairs
    callback: CallbackKeys
    master: bytes


class CallbackSigner:
    """Makes requests with the keys that were in use at the last `refresh`."""

    def __init__(self, *, service: KeyStore, content: KeyStore, master: MasterSecret) -> None:
        self._service = service
        self._content = content
        self._master = master
        self._keys: SigningKeys | None = None
        self._secret = lru_cache(SECRETS)(derive_webhook_secret)

    def refresh(self) -> None:
        """Read the keys and the master from their stores. Raises UnavailableError."""
        service, content, master = self._service.read(), self._content.read(), self._master.read()
        keys = self._keys
        if not (keys and keys.service is service and keys.content is content and keys.master == master):
            callback = CallbackKeys(
                service=service.current,
                content=content.current,
                content_key_id=thumbprint(content.current.public_key),
            )
            self._keys = SigningKeys(service, content, callback, master)

    def request(
        self, webhook: Webhook, delivery: Delivery, *, now: float, authorization: Mapping[str, str]
    ) -> HttpRequest:
        """Return the request of the delivery's next attempt, signed at `now` (epoch s). Calls no store."""
        if self._keys is None:
            raise RuntimeError("refresh comes first")
        api = webhook.definition.api
        url = parse_url(api.url).text
        body = delivery.body.encode()
        signatures = sign_callback(
            method=api.method,
            url=url,
            content_type=CONTENT_TYPE,
            body=body,
            delivery_id=delivery.id,
            timestamp=int(now),
            keys=self._keys.callback,
            webhook_secrets=[self._secret(self._keys.master, webhook.id, webhook.secret_version)],
        )
        headers = {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": USER_AGENT,
            "webhook-attempt": str(len(delivery.attempts) + 1),
            **signatures,
            **authorization,
        }
        return HttpRequest(method=api.method, url=url, headers=headers, body=body)


def authorization_of(
    auth_type: AuthType, credential: Credential | None, *, token: str | None
) -> dict[str, str]:
    """Return the header that authenticates to the endpoint; `token` is the access token of oauth2."""
    match auth_type, credential:
        case AuthType.OAUTH2, _ if token is not None:
            return {"Authorization": f"Bearer {token}"}
        case AuthType.BASIC, Credential(username=str(username), password=str(password)):
            return {"Authorization": f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"}
        case AuthType.BEARER, Credential(token=str(bearer)):
            return {"Authorization": f"Bearer {bearer}"}
        case AuthType.API_KEY, Credential(key_name=str(name), key_value=str(value)):
            return {name: value}
    return {}
