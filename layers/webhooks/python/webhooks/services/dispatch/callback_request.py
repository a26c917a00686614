"""The request of one attempt, signed over its exact bytes."""

from dataclasses import field
from functools import lru_cache
from typing import Self

from signing import CallbackKeys, derive_webhook_secret, sign_callback, thumbprint
from webhooks.domain.delivery import Delivery
from webhooks.domain.endpoint_url import parse_url
from webhooks.domain.http import HttpRequest
from webhooks.domain.keyring import KeyPairs
from webhooks.domain.values import value_type
from webhooks.domain.webhook import Webhook
from webhooks.ports import KeyStore, MasterSecret

CONTENT_TYPE = "application/json"
USER_AGENT = "webhooks/1"
SECRETS = 1024  # webhooks' own secrets that are remembered: deriving one costs a third of a signature


@value_type(frozen=True, slots=True)
class Secrets:
    """The contents of the stores: both sets of keys, and the master of the webhooks' own secrets."""

    service: KeyPairs
    signing: KeyPairs
    master: bytes = field(repr=False)


@value_type(frozen=True, slots=True)
class KeysInUse:
    """The keys that sign from `since` until `until` (epoch seconds), and the secrets that they came from."""

    secrets: Secrets
    since: float
    until: float
    callback: CallbackKeys

    @classmethod
    def of(cls, secrets: Secrets, now: float) -> Self:
        """Choose the keys that sign at `now` (epoch seconds)."""
        shown, *beside = secrets.service.signing(now)
        signing = secrets.signing.in_use(now)
        return cls(
            secrets,
            since=now,
            until=min(secrets.service.unchanged_until(now), secrets.signing.unchanged_until(now)),
            callback=CallbackKeys(
                service=shown,
                signing=signing,
                signing_key_id=thumbprint(signing.public_key),
                beside=tuple(beside),
            ),
        )


class CallbackSigner:
    """Makes requests, signed with the keys that `refresh` last read."""

    def __init__(self, *, service: KeyStore, signing: KeyStore, master: MasterSecret) -> None:
        self._service = service
        self._signing = signing
        self._master = master
        self._secrets: Secrets | None = None
        self._keys: KeysInUse | None = None
        self._secret = lru_cache(SECRETS)(derive_webhook_secret)

    def refresh(self) -> Secrets:
        """Read the keys and the master; to be called before each batch, so that `request` only computes.

        Raises UnavailableError where one of them was never read; known ones serve while they cannot be read.
        """
        read = Secrets(self._service.read(), self._signing.read(), self._master.read())
        known = self._secrets
        if known is None or known != read:  # equal ones stay: their keys have prepared signers
            self._secrets = known = read
        return known

    def request(self, webhook: Webhook, delivery: Delivery, *, now: float) -> HttpRequest:
        """Return the request of the delivery's next attempt, signed at `now` (epoch seconds).

        Reads nothing once `refresh` was called; raises UnavailableError as it does where it was not.
        """
        secrets = self._secrets or self.refresh()
        endpoint = webhook.definition.endpoint
        url = parse_url(endpoint.url).text
        body = delivery.body.encode()
        signatures = sign_callback(
            method=endpoint.method,
            url=url,
            content_type=CONTENT_TYPE,
            body=body,
            delivery_id=delivery.id,
            timestamp=int(now),
            keys=self._keys_at(now, secrets),
            webhook_secrets=[
                self._secret(secrets.master, webhook.id, version) for version in webhook.signing_versions(now)
            ],
        )
        headers = {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": USER_AGENT,
            "Accept": "*/*",  # some firewalls refuse a request without it
            "webhook-attempt": str(delivery.tries + 1),
            **signatures,
        }
        return HttpRequest(method=endpoint.method, url=url, headers=headers, body=body)

    def _keys_at(self, now: float, secrets: Secrets) -> CallbackKeys:
        keys = self._keys
        if keys is None or keys.secrets is not secrets or not keys.since <= now < keys.until:
            keys = self._keys = KeysInUse.of(secrets, now)
        return keys.callback
