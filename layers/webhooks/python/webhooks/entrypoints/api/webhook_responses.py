"""Webhooks as the API answers them: the reference's fields in its order, secrets sealed for the caller."""

from collections.abc import Callable, Sequence
from typing import Any

from signing import derive_webhook_secret, encode_webhook_secret, seal
from webhooks.domain.caller import Caller
from webhooks.domain.json_text import write_json
from webhooks.domain.webhook import Credential, Webhook
from webhooks.ports import MasterSecret, Page, RandomBytes

IV_BYTES = 16
# As Lambda sends them, and it sends at most 6 MiB. A page of 25 always fits: a webhook's definition has at
# most 64 KiB, each byte of which takes at most two, and the envelopes of its credential have 44 KB.
PAGE_BYTES = 4_990_000


class WebhookResponses:
    """Writes answers about webhooks; each sealed value gets an IV of its own."""

    def __init__(self, *, master: MasterSecret, random_bytes: RandomBytes) -> None:
        self._master = master
        self._random_bytes = random_bytes

    def changed(self, caller: Caller) -> Callable[[Webhook, Credential | None], str]:
        """Return what writes the answer about a changed webhook."""
        return lambda webhook, credential: write_json(self._webhook(caller, webhook, credential))

    def created(self, caller: Caller) -> Callable[[Webhook, Credential | None], str]:
        """Return what writes the answer about a new webhook: with its `whsec_` secret, whoever created it."""
        return lambda webhook, credential: write_json(
            self._webhook(caller, webhook, credential)
            | {"signingSecret": self._signing_secret(caller, webhook)}
        )

    def page(
        self, caller: Caller, page: Page, credentials: Sequence[Credential | None], *, index: int, size: int
    ) -> str:
        """Write a page: as many of its webhooks as fit, the first of them always.

        `size` is how many a page has; where not all of this one fit, it is how many it has got.
        """
        data: list[str] = []
        room = PAGE_BYTES
        for webhook, credential in zip(page.webhooks, credentials, strict=True):
            text = write_json(self._webhook(caller, webhook, credential))
            room -= _sent_bytes(text)
            if data and room < 0:
                size = len(data)
                break
            data.append(text)
        counts = write_json({"index": index, "total": page.total, "size": size})
        public_key = write_json(caller.service_key)
        return f'{{"page":{counts},"data":[{",".join(data)}],"publicKey":{public_key}}}'

    def secret(self, caller: Caller, webhook: Webhook) -> str:
        """Write the webhook's `whsec_` secret."""
        return write_json(
            {"signingSecret": self._signing_secret(caller, webhook), "publicKey": caller.service_key}
        )

    def _signing_secret(self, caller: Caller, webhook: Webhook) -> str:
        secret = derive_webhook_secret(self._master.read(), webhook.id, webhook.secret_version)
        return self._seal(caller, encode_webhook_secret(secret))

    def _seal(self, caller: Caller, text: str) -> str:
        return seal(caller.shared_key, text, self._random_bytes(IV_BYTES))

    def _webhook(self, caller: Caller, webhook: Webhook, credential: Credential | None) -> dict[str, Any]:
        definition = webhook.definition
        content = {
            "_id": webhook.id,
            "tenantId": webhook.scope.tenant_id,
            "communityId": webhook.scope.community_id,
            "eventNames": definition.event_names,
            "name": definition.name,
            "disabled": definition.disabled,
            "createdBy": definition.created_by,
            "tags": definition.tags,
            "query": definition.query,
            "criteria": definition.criteria.value,
            "api": self._api(caller, webhook, credential),
            "successCodes": definition.success_codes,
            "retryCodes": definition.retry_codes,
            "retryCount": definition.retry_count,
            "ttl": definition.ttl,
        }
        if webhook.disabled_reason is not None:
            content["disabledReason"] = webhook.disabled_reason
        return content

    def _api(self, caller: Caller, webhook: Webhook, credential: Credential | None) -> dict[str, Any]:
        api = webhook.definition.endpoint
        content: dict[str, Any] = {"type": api.method, "url": api.url, "authType": api.auth_type.value}
        if api.oauth_grant_type is not None:
            content["oAuthGrantType"] = api.oauth_grant_type
        if api.oauth_token_url is not None:
            content["oAuthTokenUrl"] = api.oauth_token_url
        if api.oauth_scopes:
            content["oAuthScopes"] = api.oauth_scopes
        if credential is not None and caller.sees_credentials and (values := credential.to_mapping()):
            sealed = {name: self._seal(caller, value) for name, value in values.items()}
            content["credential"] = _credential(sealed)
        return content


def _credential(sealed: dict[str, str]) -> dict[str, Any]:
    flat = {"username": "username", "password": "password", "key_name": "keyName", "key_value": "keyValue"}
    client = {"client_id": "clientId", "client_secret": "clientSecret"}
    content: dict[str, Any] = {
        wire: sealed[name] for name, wire in {**flat, "token": "token"}.items() if name in sealed
    }
    if oauth2 := {wire: sealed[name] for name, wire in client.items() if name in sealed}:
        content["oauth2"] = oauth2
    return content


def _sent_bytes(text: str) -> int:
    """Return what a JSON text takes as a text within JSON, which is how Lambda sends a body."""
    return len(text) + text.count('"') + text.count("\\")
