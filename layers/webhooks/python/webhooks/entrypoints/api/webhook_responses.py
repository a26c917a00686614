"""Responses about webhooks: the specification's fields in its order, secrets encrypted for the caller."""

from collections.abc import Sequence
from typing import Any

from signing import IV_BYTES, derive_webhook_secret, encode_webhook_secret, seal
from webhooks.domain.caller import Caller
from webhooks.domain.json_text import write_json
from webhooks.domain.webhook import Credential, Webhook
from webhooks.entrypoints.api.health_responses import health_fields
from webhooks.entrypoints.api.schemas.health_out import ShownWebhookOut
from webhooks.entrypoints.api.schemas.webhook_out import (
    ApiOut,
    CreatedOut,
    CredentialOut,
    OAuth2Out,
    Out,
    SecretOut,
    WebhookOut,
)
from webhooks.ports import MasterSecret, Page, RandomBytes
from webhooks.services.endpoint_health import WebhookHealth

# As Lambda sends them, and it sends at most 6 MiB. A page of 25 always fits: a webhook's definition has at
# most 64 KiB, each byte of which takes at most two, and the envelopes of its credential have 44 KB.
PAGE_BYTES = 4_990_000


class WebhookResponses:
    """Writes responses about webhooks; each encrypted value gets an IV of its own."""

    def __init__(self, *, master: MasterSecret, random_bytes: RandomBytes) -> None:
        self._master = master
        self._random_bytes = random_bytes

    def changed(self, caller: Caller, webhook: Webhook, credential: Credential | None) -> str:
        """Write the response about a changed webhook."""
        return write_json(self._webhook(WebhookOut, caller, webhook, credential))

    def created(self, caller: Caller, webhook: Webhook, credential: Credential | None) -> str:
        """Write the response about a new webhook: with its `whsec_` secret, at every auth level."""
        secret = self._signing_secret(caller, webhook)
        return write_json(self._webhook(CreatedOut, caller, webhook, credential, signing_secret=secret))

    def shown(self, caller: Caller, shown: WebhookHealth, credential: Credential | None) -> str:
        """Write a webhook with its health."""
        health = health_fields(shown)
        return write_json(self._webhook(ShownWebhookOut, caller, shown.webhook, credential, health=health))

    def page(
        self, caller: Caller, page: Page, credentials: Sequence[Credential | None], *, index: int, size: int
    ) -> str:
        """Write a page: as many of its webhooks as fit, the first of them always.

        `size` is how many a page has; where not all of this one fit, the response says how many it has got.
        """
        data: list[str] = []
        room = PAGE_BYTES
        for webhook, credential in zip(page.webhooks, credentials, strict=True):
            text = self.changed(caller, webhook, credential)
            room -= _sent_bytes(text)
            if data and room < 0:
                size = len(data)
                break
            data.append(text)
        inexact = "" if page.is_exact else ',"isExact":false'
        counts = f'{{"index":{index},"total":{page.total},"size":{size}{inexact}}}'
        # PageOut, with webhooks that are JSON already; base64 needs no escapes.
        key = caller.service_key.to_base64()
        return f'{{"page":{counts},"data":[{",".join(data)}],"publicKey":"{key}"}}'

    def secret(self, caller: Caller, webhook: Webhook) -> str:
        """Write the webhook's `whsec_` secret."""
        secret = self._signing_secret(caller, webhook)
        return write_json(
            SecretOut.of(None, signing_secret=secret, public_key=caller.service_key.to_base64())
        )

    def _webhook(
        self,
        model: type[Out],
        caller: Caller,
        webhook: Webhook,
        credential: Credential | None,
        **more: Any,
    ) -> dict[str, Any]:
        definition, endpoint, scope = webhook.definition, webhook.definition.endpoint, webhook.scope
        shown = None
        if credential is not None and caller.sees_credentials:
            shown = self._credential(caller, credential)
        return model.of(
            definition,
            id=webhook.id,
            tenant_id=scope.tenant_id,
            community_id=scope.community_id,
            endpoint=ApiOut.of(endpoint, oauth_scopes=endpoint.oauth_scopes or None, credential=shown),
            paused=definition.paused or None,
            disabled_reason=webhook.disabled_reason,
            **more,
        )

    def _credential(self, caller: Caller, credential: Credential) -> dict[str, Any] | None:
        envelopes = {
            name: seal(caller.shared_key, value, self._random_bytes(IV_BYTES))
            for name, value in credential.to_mapping().items()
        }
        encrypted = Credential.from_mapping(envelopes)
        return CredentialOut.of(encrypted, oauth2=OAuth2Out.of(encrypted) or None) or None

    def _signing_secret(self, caller: Caller, webhook: Webhook) -> str:
        secret = derive_webhook_secret(self._master.read(), webhook.id, webhook.secret_version)
        return seal(caller.shared_key, encode_webhook_secret(secret), self._random_bytes(IV_BYTES))


def _sent_bytes(text: str) -> int:
    """Return the bytes of a JSON text as a string in JSON, which is how Lambda sends a body."""
    return len(text) + text.count('"') + text.count("\\")
