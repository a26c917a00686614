"""The contract of KeyStore and MasterSecret."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from signing import Curve, PrivateKey
from tests.contract.backends import Backend
from tests.fakes.keys import FakeKeyStore, FakeMaster
from webhooks.adapters.secrets_manager.key_store import SecretKeyStore, SecretMaster
from webhooks.domain.errors import StaleError
from webhooks.domain.key_parts import SERVICE_PART, SIGNING_PART
from webhooks.domain.keyring import KeyPairs, service_keys, signing_keys
from webhooks.ports import KeyStore, MasterSecret

STATE = {"seed": "s" * 64}
SECRETS = {"separate": STATE, "one": {"parts": {}, "seed": "s" * 64}}


def parse(state: Mapping[str, Any]) -> KeyPairs:
    return service_keys(state, Curve.SECP256K1)


@pytest.fixture(params=SECRETS)
def secret(request: pytest.FixtureRequest, backend: Backend) -> str:
    return backend.secret("service-keys", json.dumps(SECRETS[request.param])) if backend.aws else ""


def service_store(backend: Backend, secret: str) -> SecretKeyStore:
    assert backend.aws
    return SecretKeyStore(backend.aws, secret, parse=parse, part=SERVICE_PART, clock=backend.clock)


@pytest.fixture
def store(backend: Backend, secret: str) -> KeyStore:
    if backend.aws is None:
        return FakeKeyStore(parse(STATE))
    return service_store(backend, secret)


def after_reset(pairs: KeyPairs, name: str) -> KeyPairs:
    fresh = PrivateKey.derive(name.encode() * 16, b"test", pairs.current.curve)
    return pairs.reset(fresh, now=1000, grace=60, request=name)


def test_the_first_keys_come_from_the_seed(store: KeyStore) -> None:
    assert store.read() == store.read_now() == parse(STATE)


def test_a_reset_is_seen_at_once_by_the_instance_that_made_it(store: KeyStore) -> None:
    before = store.read()
    after = after_reset(before, "a")
    store.replace(before, after)
    assert store.read() == store.read_now() == after


def test_the_second_of_two_resets_of_one_key_has_no_effect(store: KeyStore) -> None:
    before = store.read()
    first = after_reset(before, "a")
    store.replace(before, first)
    with pytest.raises(StaleError):
        store.replace(before, after_reset(before, "b"))
    assert store.read_now() == first


def test_one_reset_can_follow_another(store: KeyStore) -> None:
    first = store.read()
    second = after_reset(first, "a")
    third = after_reset(second, "b")
    store.replace(first, second)
    store.replace(second, third)
    assert store.read_now() == third


def test_another_instance_sees_a_reset_within_half_a_minute(
    backend: Backend, secret: str, store: KeyStore
) -> None:
    other = service_store(backend, secret) if backend.aws else store
    before = other.read()
    after = after_reset(before, "a")
    store.replace(before, after)
    backend.clock.now += 31
    assert other.read() == after


def test_a_reset_of_signing_keys_keeps_the_next_key(backend: Backend, secret: str) -> None:
    store: KeyStore
    if backend.aws is None:
        store = FakeKeyStore(signing_keys(STATE))
    else:
        store = SecretKeyStore(
            backend.aws, secret, parse=signing_keys, part=SIGNING_PART, clock=backend.clock
        )
    before = store.read()
    after = after_reset(before, "a")
    store.replace(before, after)
    assert after.current == before.upcoming
    assert store.read_now() == after


def test_the_master_is_the_seed(backend: Backend, secret: str) -> None:
    master: MasterSecret
    if backend.aws is None:
        master = FakeMaster(b"s" * 64)
    else:
        master = SecretMaster(backend.aws, secret, clock=backend.clock)
    assert master.read() == master.read() == b"s" * 64
