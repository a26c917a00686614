"""Credentials that are cached are taken as they are; only the others are handed to the workers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, cast

from tests.contract.webhooks_made import make_webhook
from webhooks.domain.errors import CredentialMissingError
from webhooks.domain.webhook import AuthType, Credential, CredentialRef, StoredCredential, Webhook
from webhooks.ports import BatchContext, BatchReader, Credentials
from webhooks.services.dispatch.callback_request import CallbackSigner
from webhooks.services.dispatch.loading import Loader


class Stored:
    """Credentials by the name of their secret, of which some are cached."""

    def __init__(self, cached: dict[str, Credential], stored: dict[str, Credential]) -> None:
        self._cached, self._stored = cached, stored

    def known(self, ref: StoredCredential) -> Credential | None:
        return self._cached.get(str(ref.secret_name))

    def read(self, ref: StoredCredential) -> Credential:
        return self._stored[str(ref.secret_name)]


class Workers:
    def __init__(self) -> None:
        self.given: list[Any] = []

    def map[T, R](self, work: Callable[[T], R], items: Sequence[T]) -> Iterable[R]:
        self.given += items
        return [work(each) for each in items]


class Unchanged:
    """A table that has the webhooks as they were read."""

    def __init__(self, webhooks: Sequence[Webhook]) -> None:
        self._found = {(each.scope, each.id): each for each in webhooks}

    def read(self, *_: object, **__: object) -> BatchContext:
        return BatchContext(webhooks=self._found, logged={})


def webhook(name: str, auth: AuthType) -> Webhook:
    made = make_webhook(name)
    endpoint = replace(made.definition.endpoint, auth_type=auth, oauth_token_url="https://t.example.com")
    return replace(
        made,
        definition=replace(made.definition, endpoint=endpoint),
        credential=CredentialRef(name, "v"),
    )


def test_a_cached_credential_needs_no_worker_and_the_others_are_read() -> None:
    token, other = Credential(token="cached"), Credential(token="read")
    client = Credential(client_id="c", client_secret="s")
    stored = Stored({"cached": token, "client": client, "broken": token}, {"unknown": other})
    webhooks = [
        webhook("cached", AuthType.BEARER),
        webhook("unknown", AuthType.BEARER),
        webhook("client", AuthType.OAUTH2),
        webhook("broken", AuthType.OAUTH2),
        webhook("none", AuthType.NONE),
    ]
    workers = Workers()
    loader = Loader(
        signer=cast("CallbackSigner", None),
        reader=cast("BatchReader", Unchanged(webhooks)),
        credentials=cast("Credentials", stored),
        workers=workers,
    )

    found = loader.load_credentials(webhooks)

    assert isinstance(found["broken"], CredentialMissingError)
    assert {**found, "broken": None} == {"cached": token, "unknown": other, "client": client, "broken": None}
    assert [each.id for each in workers.given] == ["unknown"]
