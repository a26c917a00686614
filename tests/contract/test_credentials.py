"""The contract of Credentials and CredentialSecrets, on the fake and on Secrets Manager and KMS."""

from typing import Any

import pytest

from tests.contract.backends import Backend
from tests.contract.credential_stores import make_key, open_credentials
from tests.fakes.credentials import FakeCredentials
from webhooks.adapters.secrets_manager.credential_secrets import ListedSecrets, binding
from webhooks.domain.errors import CredentialMissingError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Credential, CredentialRef, SealedCredential, StoredCredential
from webhooks.ports import Credentials, CredentialSecrets

ACME = Scope("acme", "north")
WEBHOOK = "0123456789abcdef01234567"
FIRST = Credential(username="ann", password="ä\U0001f511")
SECOND = Credential(token="t" * 2000)


@pytest.fixture
def prefix(backend: Backend) -> str:
    return f"stack-{backend.suffix}/credentials/"


class Opened:
    """Both ports on the same secrets. `seals`: what is written is sealed."""

    def __init__(self, backend: Backend, prefix: str, *, seals: bool = False, key: str = "") -> None:
        self.credentials: Credentials
        self.secrets: CredentialSecrets
        if backend.aws is None:
            memory = FakeCredentials(clock=backend.clock, random_bytes=backend.random_bytes, seals=seals)
            self.credentials = self.secrets = memory
            return
        tags = binding(table="subscriptions", stack="stack/1")
        self.credentials = open_credentials(backend, prefix, key=key, seals=seals, tags=tags)
        self.secrets = ListedSecrets(backend.aws, prefix=prefix, tags=tags)


@pytest.fixture
def opened(backend: Backend, prefix: str) -> Opened:
    return Opened(backend, prefix)


@pytest.fixture
def credentials(opened: Opened) -> Credentials:
    return opened.credentials


@pytest.fixture
def secrets(opened: Opened) -> CredentialSecrets:
    return opened.secrets


def secret(ref: StoredCredential) -> CredentialRef:
    assert isinstance(ref, CredentialRef)
    return ref


def test_a_credential_is_read_back_as_it_was_stored(credentials: Credentials) -> None:
    ref = credentials.create(ACME, WEBHOOK, credential=FIRST)
    assert credentials.read(ref) == FIRST


def test_the_version_in_use_stays_readable_until_the_new_one_is_settled(credentials: Credentials) -> None:
    old = credentials.create(ACME, WEBHOOK, credential=FIRST)
    new = credentials.replace(old, SECOND)
    assert new.secret_name == old.secret_name
    assert new != old
    assert (credentials.read(old), credentials.read(new)) == (FIRST, SECOND)
    credentials.settle(new)
    credentials.settle(new)
    assert credentials.read(new) == SECOND


def test_an_unsettled_version_can_be_replaced_again(credentials: Credentials) -> None:
    ref = credentials.create(ACME, WEBHOOK, credential=FIRST)
    lost = credentials.replace(ref, Credential(token="lost"))
    new = credentials.replace(ref, SECOND)
    credentials.settle(new)
    assert credentials.read(new) == SECOND
    assert lost not in (ref, new)


def test_versions_settled_out_of_order_are_both_kept(credentials: Credentials) -> None:
    ref = credentials.create(ACME, WEBHOOK, credential=FIRST)
    one, other = credentials.replace(ref, Credential(token="1")), credentials.replace(ref, SECOND)
    credentials.settle(other)
    credentials.settle(one)
    assert (credentials.read(one).token, credentials.read(other)) == ("1", SECOND)


def test_a_replaced_secret_that_is_gone_is_created_again(
    credentials: Credentials, secrets: CredentialSecrets
) -> None:
    ref = credentials.create(ACME, WEBHOOK, credential=FIRST)
    credentials.delete(ref)
    new = credentials.replace(ref, SECOND)
    assert credentials.read(new) == SECOND
    assert [(each.scope, each.webhook_id) for each in secrets.listed()] == [(ACME, WEBHOOK)]


def test_a_known_credential_is_the_one_that_is_read(credentials: Credentials) -> None:
    ref, other = (credentials.create(ACME, WEBHOOK, credential=each) for each in (FIRST, SECOND))
    assert credentials.known(ref) is None
    credentials.read(ref)
    assert credentials.known(ref) in (FIRST, None)
    assert credentials.known(other) is None


def test_an_absent_credential_is_missing(credentials: Credentials) -> None:
    ref = secret(credentials.create(ACME, WEBHOOK, credential=FIRST))
    for absent in (
        CredentialRef(ref.secret_name, "00000000-0000-4000-8000-000000000000"),
        CredentialRef(ref.secret_name + "x", ref.version_id),
    ):
        with pytest.raises(CredentialMissingError):
            credentials.read(absent)


def test_many_credentials_are_read_in_order(credentials: Credentials) -> None:
    refs = [credentials.create(ACME, WEBHOOK, credential=Credential(token=str(n))) for n in range(12)]
    refs.insert(5, CredentialRef("gone", "00000000-0000-4000-8000-000000000000"))
    found = [each and each.token for each in credentials.read_many(refs)]
    assert found == ["0", "1", "2", "3", "4", None, "5", "6", "7", "8", "9", "10", "11"]
    assert list(credentials.read_many([])) == []


def test_a_deleted_credential_is_gone_and_deleting_it_again_is_fine(
    credentials: Credentials, secrets: CredentialSecrets
) -> None:
    ref = credentials.create(ACME, WEBHOOK, credential=FIRST)
    credentials.delete(ref)
    credentials.delete(ref)
    assert list(secrets.listed()) == []
    with pytest.raises(CredentialMissingError):
        credentials.read(ref)


def test_an_expired_secret_is_listed_no_more_and_expiring_it_again_is_fine(
    credentials: Credentials, secrets: CredentialSecrets
) -> None:
    ref = secret(credentials.create(ACME, WEBHOOK, credential=FIRST))
    kept = credentials.create(ACME, WEBHOOK, credential=SECOND)
    for name in (ref.secret_name, ref.secret_name, f"{ref.secret_name}x"):
        secrets.expire(name)
    assert [each.secret_name for each in secrets.listed()] == [kept.secret_name]
    assert credentials.read(kept) == SECOND
    with pytest.raises(CredentialMissingError):
        credentials.read(ref)


def test_all_credentials_are_listed_with_their_webhook(
    backend: Backend, credentials: Credentials, secrets: CredentialSecrets
) -> None:
    scopes = [Scope("a-b.c", f"d_{n}") for n in range(3)]
    refs = [credentials.create(scope, WEBHOOK, credential=FIRST) for scope in scopes]
    if backend.aws is not None:
        backend.secret("stack-other/credentials/x/y", "{}")
        backend.secret("another", "{}")
    listed = secrets.listed()
    assert {(each.secret_name, each.scope, each.webhook_id) for each in listed} == {
        (ref.secret_name, scope, WEBHOOK) for ref, scope in zip(refs, scopes, strict=True)
    }
    assert all(each.created_at > 1e9 for each in listed)
    assert all(each.is_bound for each in listed)


class Both:
    """A deployment that seals credentials, and the same one that makes secrets of them."""

    def __init__(self, backend: Backend, prefix: str) -> None:
        if backend.aws is None:
            both = FakeCredentials(clock=backend.clock, random_bytes=backend.random_bytes)
            self.sealing: Credentials = _Set(both, seals=True)
            self.storing: Credentials = _Set(both, seals=False)
            self.secrets: CredentialSecrets = both
            return
        key = make_key(backend)
        sealing = Opened(backend, prefix, seals=True, key=key)
        self.sealing, self.secrets = sealing.credentials, sealing.secrets
        self.storing = Opened(backend, prefix, key=key).credentials


class _Set:
    """The fake, set to a form before each call."""

    def __init__(self, both: FakeCredentials, *, seals: bool) -> None:
        self._both = both
        self._seals = seals

    def __getattr__(self, name: str) -> Any:
        self._both.seals = self._seals
        return getattr(self._both, name)


@pytest.fixture
def both(backend: Backend, prefix: str) -> Both:
    return Both(backend, prefix)


def test_a_sealed_credential_is_read_back_as_it_was_and_makes_no_secret(both: Both) -> None:
    sealed = both.sealing.create(ACME, WEBHOOK, credential=FIRST)
    assert isinstance(sealed, SealedCredential)
    assert (sealed.scope, sealed.webhook_id) == (ACME, WEBHOOK)
    again = both.sealing.replace(sealed, SECOND)
    both.sealing.settle(again)
    assert (both.sealing.read(sealed), both.sealing.read(again)) == (FIRST, SECOND)
    assert list(both.secrets.listed()) == []


def test_both_forms_are_read_whatever_is_written(both: Both) -> None:
    refs = [
        both.sealing.create(ACME, WEBHOOK, credential=FIRST),
        both.storing.create(ACME, WEBHOOK, credential=SECOND),
    ]
    for credentials in (both.sealing, both.storing):
        assert [credentials.read(ref) for ref in refs] == [FIRST, SECOND]
        found = credentials.read_many([refs[1], CredentialRef("gone", "v"), *refs])
        assert list(found) == [SECOND, None, FIRST, SECOND]


def test_a_replaced_credential_has_the_form_that_is_written(both: Both) -> None:
    secret_ref = both.storing.create(ACME, WEBHOOK, credential=FIRST)
    sealed = both.sealing.replace(secret_ref, SECOND)
    assert isinstance(sealed, SealedCredential)
    assert (sealed.scope, sealed.webhook_id) == (ACME, WEBHOOK)
    back = both.storing.replace(sealed, FIRST)
    assert isinstance(back, CredentialRef)
    assert [both.storing.read(ref) for ref in (secret_ref, sealed, back)] == [FIRST, SECOND, FIRST]


def test_deleting_a_sealed_credential_deletes_no_secret(both: Both) -> None:
    kept = both.storing.create(ACME, WEBHOOK, credential=FIRST)
    both.storing.delete(both.sealing.create(ACME, WEBHOOK, credential=SECOND))
    assert both.storing.read(kept) == FIRST


@pytest.mark.parametrize("other", [(Scope("acme", "south"), WEBHOOK), (ACME, "f" * 24)])
def test_a_sealed_credential_of_another_webhook_is_missing(both: Both, other: tuple[Scope, str]) -> None:
    sealed = both.sealing.create(ACME, WEBHOOK, credential=FIRST)
    assert isinstance(sealed, SealedCredential)
    moved = SealedCredential(*other, sealed.text)
    with pytest.raises(CredentialMissingError):
        both.sealing.read(moved)
    assert list(both.sealing.read_many([moved, sealed])) == [None, FIRST]


def test_no_sealed_credential_shows_itself(both: Both) -> None:
    sealed = both.sealing.create(ACME, WEBHOOK, credential=FIRST)
    assert isinstance(sealed, SealedCredential)
    assert sealed.text not in repr(sealed)
