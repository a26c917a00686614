"""A crash before or after any effect of a change leaves nothing that a repeat and the cleanup do not repair."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from math import inf
from typing import Any

import pytest

from signing import Curve, PrivateKey
from tests.aws_stub.wrapped_clients import WrappedClients
from tests.clocks import NOW
from tests.contract.backends import Backend, backend_named
from tests.contract.credential_stores import make_key, open_credentials
from tests.contract.webhooks_made import ACME, make_definition
from tests.fakes.credentials import FakeCredentials
from tests.fakes.endpoint import ScriptedGuard
from tests.fakes.queues import FakeRecoveryQueue
from tests.fakes.subscriptions import FakeSubscriptions
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.secrets_manager.credential_secrets import ListedSecrets, binding
from webhooks.domain.caller import AuthLevel, Caller, License
from webhooks.domain.errors import NotFoundError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import AuthType, Credential, Definition, Endpoint, Webhook
from webhooks.domain.webhook_patch import Patch
from webhooks.ports import Credentials, CredentialSecrets, Subscriptions
from webhooks.services.idempotency import CommunityRequest
from webhooks.services.orphan_cleanup import MAX_SHARE, OrphanCleanup
from webhooks.services.webhooks import Webhooks

CROWD = Scope("acme", "crowd")
TAGS = binding(table="subscriptions", stack="stack/1")
AFTER_THE_GRACE = 2 * NOW  # epoch seconds, long after anything that the tests make
WRITES = frozenset(
    [
        "create_secret",
        "put_secret_value",
        "update_secret_version_stage",
        "delete_secret",
        "generate_data_key",
        "transact_write_items",
        "update_item",
    ]
)
FIRST, SECOND = Credential(token="first"), Credential(token="second")
PUBLIC_KEY = PrivateKey.derive(b"c" * 16, b"caller", Curve.SECP256K1).public_key
CALLER = Caller("tests", None, PUBLIC_KEY, License(AuthLevel.SYSTEM), PUBLIC_KEY, b"")


class CrashError(Exception):
    """The process ends here."""


@dataclass
class Crasher:
    """Notes every effect, and crashes at the one that it is set to."""

    at: int | None = None
    effects: list[str] = field(default_factory=list)
    watching: bool = False

    def __call__(self, effect: str) -> None:
        if not self.watching:
            return
        self.effects.append(effect)
        if len(self.effects) - 1 == self.at:
            raise CrashError(effect)


class CrashingClients(WrappedClients):
    """Clients of another that tell a crasher before and after each write."""

    def __init__(self, real: AwsClients, crasher: Crasher) -> None:
        super().__init__(real, lambda client: _Watched(client, crasher))


class _Watched:
    def __init__(self, client: Any, crasher: Crasher) -> None:
        self._client = client
        self._crasher = crasher

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._client, name)
        if name not in WRITES:
            return real

        def call(**request: Any) -> Any:
            self._crasher(f"before {name}")
            response = real(**request)
            self._crasher(f"after {name}")
            return response

        return call


class CrashingApp:
    """The use cases on a backend of their own, whose calls `crasher` ends. `seals`: credentials are sealed."""

    def __init__(self, backend: Backend, crasher: Crasher, *, seals: bool) -> None:
        self.crasher = crasher
        self.setup = ""
        self.subscriptions: Subscriptions
        self.credentials: Credentials
        self.secrets: CredentialSecrets
        if backend.aws is None:
            made: dict[str, Any] = {
                "clock": backend.clock,
                "random_bytes": backend.random_bytes,
                "fault": crasher,
            }
            self.subscriptions = FakeSubscriptions(**made)
            self.credentials = self.secrets = FakeCredentials(**made, seals=seals)
        else:
            clients = CrashingClients(backend.aws, crasher)
            tables = Tables(backend.table("subscriptions"), backend.table("access", sorted_by=None))
            self.subscriptions = DynamoSubscriptions(
                clients,
                tables,
                clock=backend.clock,
                random_bytes=backend.random_bytes,
                backoff=backend.backoff,
            )
            self.credentials = open_credentials(
                backend,
                f"{backend.suffix}/",
                key=make_key(backend),
                seals=seals,
                tags=TAGS,
                aws=clients,
            )
            self.secrets = ListedSecrets(clients, prefix=f"{backend.suffix}/", tags=TAGS)
        self.use_cases = Webhooks(
            subscriptions=self.subscriptions,
            credentials=self.credentials,
            guard=ScriptedGuard(),
            recovery=FakeRecoveryQueue(),
            clock=backend.clock,
            webhooks_per_community=2 * MAX_SHARE,
        )

    def create(self, request_key: str, credential: Credential | None, scope: Scope = ACME) -> str:
        definition = (
            bearer() if credential else make_definition(endpoint=Endpoint("https://example.com/hook"))
        )
        return self.use_cases.create(
            request(request_key, scope), definition=definition, credential=credential, respond=respond
        )

    def existing(self, credential: Credential | None) -> str:
        """Return the id of a webhook that is created once."""
        self.setup = self.setup or json.loads(self.create("setup", credential))
        return self.setup

    def webhooks(self, scope: Scope = ACME) -> list[Webhook]:
        return list(self.subscriptions.page(scope, index=0, size=100, tags=()).webhooks)

    def tokens(self) -> list[str | None]:
        """Return each webhook's token, as the dispatcher would read it."""
        return [
            self.credentials.read(webhook.credential).token if webhook.credential else None
            for webhook in self.webhooks()
        ]

    def orphans(self) -> set[str]:
        webhooks = self.webhooks() + self.webhooks(CROWD)
        named = {webhook.credential.secret_name for webhook in webhooks if webhook.credential}
        return {listed.secret_name for listed in self.secrets.listed()} - named

    def cleanup(self, *, now: float = AFTER_THE_GRACE) -> int:
        return (
            OrphanCleanup(
                secrets=self.secrets,
                subscriptions=self.subscriptions,
                clock=lambda: now,
                time_left=lambda: inf,
            )
            .run()
            .deleted
        )

    def crowd(self) -> None:
        """Create so many webhooks with credentials that one orphan is not too many."""
        for number in range(MAX_SHARE):
            self.create(f"crowd {number}", FIRST, CROWD)


def bearer() -> Definition:
    return make_definition(endpoint=Endpoint("https://example.com/hook", auth_type=AuthType.BEARER))


def request(key: str, scope: Scope = ACME) -> CommunityRequest:
    return CommunityRequest(CALLER, scope, key, int(NOW) + 600)


def respond(_: Caller, webhook: Webhook, __: Credential | None) -> str:
    return json.dumps(webhook.id)


def create(app: CrashingApp) -> None:
    app.create("tested", FIRST)


def new_credential(app: CrashingApp) -> None:
    patch = Patch(credential=SECOND)
    app.use_cases.update(request("tested"), app.existing(FIRST), patch, respond=respond)


def first_credential(app: CrashingApp) -> None:
    patch = Patch(endpoint={"auth_type": AuthType.BEARER}, credential=FIRST)
    app.use_cases.update(request("tested"), app.existing(None), patch, respond=respond)


def no_credential(app: CrashingApp) -> None:
    patch = Patch(endpoint={"auth_type": AuthType.NONE})
    app.use_cases.update(request("tested"), app.existing(FIRST), patch, respond=respond)


def delete(app: CrashingApp) -> None:
    with suppress(NotFoundError):
        app.use_cases.delete(request("tested"), app.existing(FIRST))


# The change under test, the tokens before and after it.
CHANGES: dict[str, tuple[Callable[[CrashingApp], None], list[str | None], list[str | None]]] = {
    "create": (create, [], ["first"]),
    "new credential": (new_credential, ["first"], ["second"]),
    "first credential": (first_credential, [None], ["first"]),
    "no credential": (no_credential, ["first"], [None]),
    "delete": (delete, ["first"], []),
}


@contextmanager
def opened(backend_name: str, crasher: Crasher, *, seals: bool = False) -> Iterator[CrashingApp]:
    with backend_named(backend_name) as backend:
        yield CrashingApp(backend, crasher, seals=seals)


def effects_of(backend_name: str, change: Callable[[CrashingApp], None], *, seals: bool) -> list[str]:
    """Return the effects of a change that goes well."""
    crasher = Crasher(watching=True)
    with opened(backend_name, crasher, seals=seals) as app:
        change(app)
    return crasher.effects


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("backend_name", ["memory", "moto"])
@pytest.mark.parametrize("seals", [False, True], ids=["secrets", "sealed"])
def test_a_crash_at_any_step_is_repaired_by_a_repeat_and_the_cleanup(
    backend_name: str, name: str, *, seals: bool
) -> None:
    change, before, after = CHANGES[name]
    effects = effects_of(backend_name, change, seals=seals)
    assert len(effects) >= (2 if seals else 4)
    for at in range(len(effects)):
        crasher = Crasher(at=at, watching=True)
        with opened(backend_name, crasher, seals=seals) as app:
            # When the process ends in the midst of the change
            with pytest.raises(CrashError):
                change(app)
            crasher.watching = False

            # Then every webhook has a credential that can be read: the old one or the new
            assert app.tokens() in ([], before, after), effects[at]

            # And the sender's repeat has the same result as if nothing had happened
            change(app)
            assert app.tokens() == after, effects[at]

            # And a sealed credential leaves no orphan, whatever happens
            assert not (seals and app.secrets.listed()), effects[at]

            # And the cleanup, among enough others, leaves no secret that no webhook names
            app.crowd()
            app.cleanup()
            assert app.orphans() == set(), effects[at]
            assert app.tokens() == after, effects[at]


def test_the_cleanup_spares_new_secrets() -> None:
    with opened("memory", Crasher(at=3, watching=True)) as app:
        with pytest.raises(CrashError):
            create(app)
        app.crowd()
        assert len(app.orphans()) == 1
        assert app.cleanup(now=NOW + 60) == 0
        assert app.cleanup() == 1
        assert app.orphans() == set()
