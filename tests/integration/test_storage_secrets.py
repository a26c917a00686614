"""Secrets Manager's own rules: staging labels, version ids, names."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from signing import Curve, PrivateKey
from tests.aws_stub.faulty_clients import FaultyClients, Replacement, fail, forever, lose_response, time_out
from tests.contract.backends import Backend, backend_named
from webhooks.adapters.secrets_manager.credential_secrets import ListedSecrets
from webhooks.adapters.secrets_manager.credentials import SecretCredentials
from webhooks.adapters.secrets_manager.key_store import SecretKeyStore, SecretMaster
from webhooks.adapters.secrets_manager.secret_reader import SecretReader
from webhooks.domain.errors import CredentialMissingError, StaleError, UnavailableError
from webhooks.domain.key_parts import MASTER_PART, SERVICE_PART, SIGNING_PART
from webhooks.domain.keyring import KeyPairs, service_keys, signing_keys
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Credential, CredentialRef
from webhooks.entrypoints.api.limits import CREDENTIAL_LENGTH
from webhooks.ports import ListedCredential, Workers

ACME = Scope("acme", "north")
WEBHOOK = "0123456789abcdef01234567"
PREFIX = "stack/credentials/"
LARGEST_SECRET = 65_536  # bytes, Secrets Manager's own limit
FIRST, SECOND = Credential(token="first"), Credential(token="second")


@pytest.fixture
def backend() -> Iterator[Backend]:
    with backend_named("moto") as opened:
        yield opened


def credentials_of(
    backend: Backend, *, kms_key_id: str = "", **faults: list[Replacement]
) -> SecretCredentials:
    return SecretCredentials(
        FaultyClients(backend.clients, **faults),
        prefix=PREFIX,
        kms_key_id=kms_key_id,
        clock=backend.clock,
        random_bytes=backend.random_bytes,
    )


def listed_by(backend: Backend) -> Sequence[ListedCredential]:
    return ListedSecrets(backend.clients, prefix=PREFIX, tags={}).listed()


def labels(backend: Backend, ref: CredentialRef) -> dict[str, list[str]]:
    described = backend.clients.secrets.describe_secret(SecretId=ref.secret_name)
    return {version: sorted(stages) for version, stages in described["VersionIdsToStages"].items() if stages}


def test_the_version_in_use_stays_current_until_the_new_one_is_settled(backend: Backend) -> None:
    credentials = credentials_of(backend)
    old = credentials.create(ACME, WEBHOOK, credential=FIRST)
    new = credentials.replace(old, SECOND)
    assert labels(backend, old)[old.version_id] == ["AWSCURRENT"]
    assert [label[:6] for label in labels(backend, old)[new.version_id]] == ["since-"]
    credentials.settle(new)
    assert labels(backend, old) == {old.version_id: ["AWSPREVIOUS"], new.version_id: ["AWSCURRENT"]}


def test_version_labels_left_by_a_crash_go_with_the_next_change(backend: Backend) -> None:
    credentials = credentials_of(backend)
    ref = credentials.create(ACME, WEBHOOK, credential=FIRST)
    left = credentials.replace(ref, SECOND)
    backend.clock.now += 3601
    recent = credentials.replace(ref, SECOND)
    used = credentials.replace(ref, SECOND)
    credentials.settle(used)
    found = labels(backend, ref)
    assert left.version_id not in found
    assert [label[:6] for label in found[recent.version_id]] == ["since-"]
    assert found[used.version_id] == ["AWSCURRENT"]


def test_a_settle_that_fails_breaks_nothing_and_can_be_repeated(backend: Backend) -> None:
    credentials = credentials_of(backend, update_secret_version_stage=[time_out])
    old = credentials.create(ACME, WEBHOOK, credential=FIRST)
    new = credentials.replace(old, SECOND)
    with pytest.raises(UnavailableError):
        credentials.settle(new)
    assert (credentials.read(old), credentials.read(new)) == (FIRST, SECOND)
    credentials.settle(new)
    assert labels(backend, new)[new.version_id] == ["AWSCURRENT"]


def test_a_repeated_creation_after_a_lost_response_is_no_error(backend: Backend) -> None:
    def repeated(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        real(**request)
        return real(**request)

    credentials = credentials_of(backend, create_secret=[repeated])
    ref = credentials.create(ACME, WEBHOOK, credential=FIRST)
    assert credentials.read(ref) == FIRST
    assert len(listed_by(backend)) == 1


def test_a_replaced_secret_that_awaits_its_deletion_is_created_again(backend: Backend) -> None:
    ref = credentials_of(backend).create(ACME, WEBHOOK, credential=FIRST)
    # As AWS answers for a secret that is marked for deletion; moto takes the value.
    credentials = credentials_of(backend, put_secret_value=[fail("InvalidRequestException")])
    new = credentials.replace(ref, SECOND)
    assert new.secret_name != ref.secret_name
    assert credentials.read(new) == SECOND


def test_a_secret_is_encrypted_with_the_key_that_is_given(backend: Backend) -> None:
    ref = credentials_of(backend, kms_key_id="alias/ours").create(ACME, WEBHOOK, credential=FIRST)
    assert backend.clients.secrets.describe_secret(SecretId=ref.secret_name)["KmsKeyId"] == "alias/ours"


def test_a_secret_name_has_its_webhook_and_does_not_end_like_an_arn(backend: Backend) -> None:
    ref = credentials_of(backend).create(ACME, WEBHOOK, credential=FIRST)
    path, _, ending = ref.secret_name.rpartition("-")
    assert path == f"{PREFIX}acme/north/{WEBHOOK}"
    assert len(ending) == 8


def test_a_version_is_read_once_and_then_cached(backend: Backend) -> None:
    ref = credentials_of(backend).create(ACME, WEBHOOK, credential=FIRST)
    clients = FaultyClients(backend.clients)
    credentials = SecretCredentials(
        clients, prefix=PREFIX, kms_key_id="", clock=backend.clock, random_bytes=backend.random_bytes
    )
    assert [credentials.read(ref) for _ in range(3)] == [FIRST] * 3
    assert clients.calls == ["get_secret_value"]
    backend.clock.now += 3601
    credentials.read(ref)
    assert clients.calls == ["get_secret_value"] * 2


@pytest.fixture
def workers() -> Iterator[Workers]:
    with ThreadPoolExecutor(100) as pool:
        yield pool


def test_concurrent_reads_of_a_credential_share_one_call(backend: Backend, workers: Workers) -> None:
    # Given ten credentials that nothing has read yet
    stored = [
        credentials_of(backend).create(ACME, WEBHOOK, credential=Credential(token=str(n))) for n in range(10)
    ]

    def slow(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        time.sleep(0.05)
        return real(**request)

    clients = FaultyClients(backend.clients, get_secret_value=forever(slow))
    credentials = SecretCredentials(
        clients, prefix=PREFIX, kms_key_id="", clock=backend.clock, random_bytes=backend.random_bytes
    )

    # When a hundred deliveries need them at once
    refs = [stored[number % 10] for number in range(100)]
    found = list(workers.map(credentials.read, refs))

    # Then each is read once, and all get theirs
    assert [credential.token for credential in found] == [str(number % 10) for number in range(100)]
    assert clients.calls == ["get_secret_value"] * 10


def test_an_error_reaches_all_waiting_callers_and_is_not_cached(backend: Backend, workers: Workers) -> None:
    ref = credentials_of(backend).create(ACME, WEBHOOK, credential=FIRST)

    def slow(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        time.sleep(0.1)
        return fail("InternalServiceError")(real, request)

    clients = FaultyClients(backend.clients, get_secret_value=[slow])
    credentials = SecretCredentials(
        clients, prefix=PREFIX, kms_key_id="", clock=backend.clock, random_bytes=backend.random_bytes
    )

    def read(_: int) -> str:
        try:
            return str(credentials.read(ref).token)
        except UnavailableError as error:
            return str(error)

    assert set(workers.map(read, range(20))) == {"secretsmanager GetSecretValue: InternalServiceError"}
    assert clients.calls == ["get_secret_value"]
    assert credentials.read(ref) == FIRST


@pytest.mark.parametrize("text", ["", "[]", "no JSON", '{"token": 7}'])
def test_a_secret_that_holds_no_credential_is_missing(backend: Backend, text: str) -> None:
    name = backend.secret(f"{PREFIX}x", text or " ")
    version = backend.clients.secrets.get_secret_value(SecretId=name)["VersionId"]
    with pytest.raises(CredentialMissingError, match="holds no credential"):
        credentials_of(backend).read(CredentialRef(name, version))


def test_a_page_of_credentials_is_unavailable_when_secrets_manager_is(backend: Backend) -> None:
    credentials = credentials_of(backend, get_secret_value=forever(fail("InternalServiceError")))
    refs = [credentials.create(ACME, WEBHOOK, credential=FIRST) for _ in range(3)]
    with pytest.raises(UnavailableError, match="secretsmanager GetSecretValue: InternalServiceError"):
        credentials.read_many(refs)


def test_secrets_beyond_one_page_are_all_listed(backend: Backend) -> None:
    credentials = credentials_of(backend)
    refs = {credentials.create(ACME, WEBHOOK, credential=FIRST).secret_name for _ in range(103)}
    assert {each.secret_name for each in listed_by(backend)} == refs


def store_of(backend: Backend, secret: str, **faults: list[Replacement]) -> SecretKeyStore:
    return SecretKeyStore(
        FaultyClients(backend.clients, **faults),
        secret,
        parse=lambda state: service_keys(state, Curve.SECP256K1),
        part=SERVICE_PART,
        clock=backend.clock,
    )


def test_a_reset_that_slips_in_between_read_and_write_wins(backend: Backend) -> None:
    # Given a key that two instances reset at the same time
    secret = backend.secret("keys", json.dumps({"seed": "s" * 64}))
    ours = PrivateKey.derive(b"o" * 16, b"ours", Curve.SECP256K1)
    theirs = PrivateKey.derive(b"t" * 16, b"theirs", Curve.SECP256K1)
    other = store_of(backend, secret)
    before = other.read()

    def theirs_first(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        other.replace(before, before.reset(theirs, now=0, grace=1, request="theirs"))
        return real(**request)

    # When the other one's write comes first
    with pytest.raises(StaleError):
        store_of(backend, secret, put_secret_value=[theirs_first]).replace(
            before, before.reset(ours, now=0, grace=1, request="ours")
        )

    # Then its key is in use
    assert store_of(backend, secret).read().current == theirs


ONE = {"parts": {}, "seed": "s" * 64}


def signing_store_of(backend: Backend, secret: str, **faults: list[Replacement]) -> SecretKeyStore:
    clients = FaultyClients(backend.clients, **faults)
    return SecretKeyStore(clients, secret, parse=signing_keys, part=SIGNING_PART, clock=backend.clock)


def reset(pairs: KeyPairs, name: str) -> KeyPairs:
    fresh = PrivateKey.derive(name.encode() * 16, b"fresh", pairs.current.curve)
    return pairs.reset(fresh, now=0, grace=1, request=name)


def test_resets_of_two_keys_in_one_secret_at_the_same_time_both_count(backend: Backend) -> None:
    # Given service keys and signing keys as parts of one secret
    secret = backend.secret("seeds", json.dumps(ONE))
    signing = signing_store_of(backend, secret)
    signing_after = reset(signing.read(), "signing")

    def signing_first(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        signing.replace(signing.read(), signing_after)
        return real(**request)

    # When the signing key is reset between the read and the write of a reset of the service's
    service = store_of(backend, secret, put_secret_value=[signing_first])
    service_after = reset(service.read(), "service")
    service.replace(service.read(), service_after)

    # Then neither is lost
    assert store_of(backend, secret).read() == service_after
    assert signing_store_of(backend, secret).read() == signing_after


def test_the_second_of_two_resets_of_a_part_has_no_effect(backend: Backend) -> None:
    secret = backend.secret("seeds", json.dumps(ONE))
    other = store_of(backend, secret)
    before = other.read()

    def theirs_first(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        other.replace(before, reset(before, "theirs"))
        return real(**request)

    with pytest.raises(StaleError):
        store_of(backend, secret, put_secret_value=[theirs_first]).replace(before, reset(before, "ours"))

    assert store_of(backend, secret).read() == reset(before, "theirs")


def test_a_secret_whose_other_part_changes_all_the_time_is_given_up(backend: Backend) -> None:
    secret = backend.secret("seeds", json.dumps(ONE))
    signing = signing_store_of(backend, secret)

    def signing_first(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        pairs = signing.read_now()
        signing.replace(pairs, reset(pairs, f"signing {len(pairs.keys)}"))
        return real(**request)

    service = store_of(backend, secret, put_secret_value=[signing_first] * 3)
    before = service.read()
    with pytest.raises(StaleError):
        service.replace(before, reset(before, "service"))
    assert store_of(backend, secret).read() == before


def test_a_lost_response_to_a_reset_of_a_part_loses_no_other_part(backend: Backend) -> None:
    secret = backend.secret("seeds", json.dumps(ONE))
    signing = signing_store_of(backend, secret)
    signing.replace(signing.read(), reset(signing.read(), "signing"))
    service = store_of(backend, secret, put_secret_value=[lose_response])
    before = service.read()

    with pytest.raises(UnavailableError):
        service.replace(before, reset(before, "service"))

    assert service.read_now() == reset(before, "service")
    assert signing_store_of(backend, secret).read() == signing.read()


def test_one_secret_is_read_once_for_all_that_is_due_and_nothing_of_it_is_older_than_it_may_be(
    backend: Backend,
) -> None:
    secret = backend.secret("seeds", json.dumps(ONE))
    asked = []

    def count(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        asked.append(backend.clock.now)
        return real(**request)

    clients = FaultyClients(backend.clients, get_secret_value=[count] * 100)
    reader = SecretReader(clients, clock=backend.clock)
    service = SecretKeyStore(
        clients,
        secret,
        parse=lambda state: service_keys(state, Curve.SECP256K1),
        part=SERVICE_PART,
        clock=backend.clock,
        seconds=300,
        reader=reader,
    )
    master = SecretMaster(clients, secret, clock=backend.clock, reader=reader)
    began = backend.clock.now
    other = store_of(backend, secret)
    for second in range(1000):
        backend.clock.now = began + second
        if second == 301:  # by another instance, right after a read
            other.replace(other.read_now(), reset(other.read_now(), "later"))
        keys = service.read()
        backend.clock.now = began + second + 0.5
        master.read()
        assert (len(keys.keys) == 2) or second < 601
    assert [at - began for at in asked] == [0, 300, 600, 900]

    # When a key is reset by this instance, it is read as it is now
    before = service.read_now()
    service.replace(before, reset(before, "own"))
    assert service.read() == service.read_now() == reset(before, "own")


def test_a_master_is_changed_in_its_part(backend: Backend) -> None:
    secret = backend.secret("seeds", json.dumps({**ONE, "parts": {MASTER_PART: {"seed": "m" * 64}}}))
    assert SecretMaster(backend.clients, secret, clock=backend.clock).read() == b"m" * 64
    assert store_of(backend, secret).read() == service_keys(ONE, Curve.SECP256K1)


def test_keys_are_read_again_after_half_a_minute_and_not_before(backend: Backend) -> None:
    secret = backend.secret("keys", json.dumps({"seed": "s" * 64}))
    store = store_of(backend, secret)
    read = store.read()
    backend.clock.now += 29
    assert store.read() is read
    other_instance = store_of(backend, secret)
    after = read.reset(PrivateKey.derive(b"f" * 16, b"fresh", Curve.SECP256K1), now=0, grace=1, request="r")
    other_instance.replace(read, after)
    assert store.read() is read
    backend.clock.now += 1
    assert store.read() == after


def test_the_last_known_keys_serve_during_an_outage_and_are_retried(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    def count(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        asked.append(backend.clock.now)
        return real(**request) if len(asked) in (1, 4) else fail("InternalServiceError")(real, request)

    secret = backend.secret("keys", json.dumps({"seed": "s" * 64}))
    store = store_of(backend, secret, get_secret_value=[count] * 4)
    first = store.read()
    began = backend.clock.now
    for second in range(60):
        backend.clock.now = began + second
        assert store.read() == first
    assert [at - began for at in asked] == [0, 30, 35, 40]
    warnings = [record for record in caplog.records if record.message == "secret.stale"]
    assert [vars(record)["reason"] for record in warnings] == [
        "secretsmanager GetSecretValue: InternalServiceError"
    ] * 2


def test_a_secrets_manager_that_hangs_takes_a_tenth_of_the_time_at_most(backend: Backend) -> None:
    asked = []

    def hang(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        asked.append(backend.clock.now)
        if len(asked) == 1:
            return real(**request)
        backend.clock.now += 9
        return fail("Timeout")(real, request)

    secret = backend.secret("keys", json.dumps({"seed": "s" * 64}))
    store = store_of(backend, secret, get_secret_value=[hang] * 20)
    began = backend.clock.now
    while backend.clock.now < began + 600:
        store.read()
        backend.clock.now += 1
    assert 2 <= len(asked) - 1 <= 600 / 90


def test_current_keys_that_cannot_be_read_are_unavailable(backend: Backend) -> None:
    secret = backend.secret("keys", json.dumps({"seed": "s" * 64}))
    store = store_of(
        backend, secret, get_secret_value=[lambda real, request: real(**request), fail("Second")]
    )
    store.read()
    with pytest.raises(UnavailableError, match="Second"):
        store.read_now()


def test_a_new_instance_without_keys_is_unavailable(backend: Backend) -> None:
    secret = backend.secret("keys", json.dumps({"seed": "s" * 64}))
    with pytest.raises(UnavailableError):
        store_of(backend, secret, get_secret_value=[fail("First")]).read()


def test_the_last_known_master_serves_during_an_outage(backend: Backend) -> None:
    secret = backend.secret("master", json.dumps({"seed": "one"}))
    clients = FaultyClients(
        backend.clients, get_secret_value=[lambda real, request: real(**request), fail("Second")]
    )
    master = SecretMaster(clients, secret, clock=backend.clock)
    master.read()
    backend.clock.now += 301
    assert master.read() == b"one"


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "no JSON",
        '{"seed": 7}',
        '{"seed": "s", "curve": "secp256k1"}',
        '{"seed": "s", "parts": []}',
        '{"seed": "s", "parts": {"service": []}}',
        '{"seed": "s", "parts": {"service": "seed"}}',
        '{"parts": {}}',
        '{"seed": "s", "curve": "secp256k1", "keys": []}',
        '{"seed": "s", "curve": "secp256k1", "keys": [{"pair": "AAAA", "since": 0, "until": null, "request": null}]}',
    ],
)
def test_a_secret_that_holds_no_keys_is_unavailable_and_not_shown(backend: Backend, text: str) -> None:
    secret = backend.secret("keys", text)
    with pytest.raises(UnavailableError) as raised:
        store_of(backend, secret).read()
    assert str(raised.value) == f"the secret {secret} does not hold what it must"


def test_the_master_is_read_again_after_five_minutes(backend: Backend) -> None:
    secret = backend.secret("master", json.dumps({"seed": "one"}))
    master = SecretMaster(backend.clients, secret, clock=backend.clock)
    assert master.read() == b"one"
    backend.clients.secrets.put_secret_value(SecretId=secret, SecretString='{"seed": "two"}')
    assert master.read() == b"one"
    backend.clock.now += 301
    assert master.read() == b"two"


def test_a_lost_response_to_a_new_version_leaves_the_old_one_in_use(
    backend: Backend,
) -> None:
    ref = credentials_of(backend).create(ACME, WEBHOOK, credential=FIRST)
    with pytest.raises(UnavailableError):
        credentials_of(backend, put_secret_value=[lose_response]).replace(ref, SECOND)
    assert credentials_of(backend).read(ref) == FIRST
    assert labels(backend, ref)[ref.version_id] == ["AWSCURRENT"]


def test_the_largest_credential_fits_a_secret(backend: Backend) -> None:
    largest = "\U0001f511" * CREDENTIAL_LENGTH
    credential = Credential(username=largest, password=largest)
    ref = credentials_of(backend).create(ACME, WEBHOOK, credential=credential)
    stored = backend.clients.secrets.get_secret_value(SecretId=ref.secret_name)["SecretString"]
    assert len(stored.encode()) <= LARGEST_SECRET
    assert credentials_of(backend).read(ref) == credential
