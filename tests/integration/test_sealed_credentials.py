"""Sealed credentials on KMS: what does not open, an outage, the cache, sizes."""

import base64
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import SigningError
from signing.sealed_text import open_text, seal_context, seal_text, sealed_parts
from tests.aws_stub.faulty_clients import FaultyClients, Replacement, fail, forever, lose_response, time_out
from tests.contract.backends import Backend, backend_named
from tests.contract.credential_stores import make_key
from tests.contract.webhooks_made import ACME, make_webhook
from webhooks.adapters.dynamodb.webhook_items import webhook_attributes
from webhooks.adapters.kms.credential_seal import LARGEST, KmsCredentialSeal
from webhooks.domain.errors import (
    CredentialMissingError,
    InvalidWebhookError,
    NewerFormError,
    UnavailableError,
)
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Credential, SealedCredential
from webhooks.domain.webhook_size import MAX_DEFINITION
from webhooks.entrypoints.api.limits import CREDENTIAL_LENGTH

WEBHOOK = "0123456789abcdef01234567"
FIRST = Credential(token="first")
LARGEST_ITEM = 409_600  # bytes, DynamoDB's own limit
OUTAGES = ["ThrottlingException", "KMSInternalException", "DisabledException", "AccessDeniedException",
           "KMSInvalidStateException", "NotFoundException", "IncorrectKeyException"]  # fmt: skip


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with backend_named("moto") as opened:
        yield opened


@pytest.fixture(scope="module")
def key(backend: Backend) -> str:
    return make_key(backend)


def seal_of(backend: Backend, key: str, **faults: list[Replacement]) -> KmsCredentialSeal:
    return seal_with(FaultyClients(backend.clients, **faults), backend, key)


def seal_with(clients: FaultyClients, backend: Backend, key: str) -> KmsCredentialSeal:
    return KmsCredentialSeal(clients, key_id=key, clock=backend.clock, random_bytes=backend.random_bytes)


@pytest.fixture
def sealed(backend: Backend, key: str) -> SealedCredential:
    return seal_of(backend, key).seal(ACME, WEBHOOK, FIRST)


def with_byte(sealed: SealedCredential, at: int, change: int = 1) -> SealedCredential:
    raw = bytearray(base64.b64decode(sealed.text))
    raw[at] ^= change
    return replace(sealed, text=base64.b64encode(bytes(raw)).decode())


def test_the_stored_text_shows_nothing_of_the_credential(backend: Backend, key: str) -> None:
    sealed = seal_of(backend, key).seal(ACME, WEBHOOK, Credential(token="planted-token"))
    assert b"planted" not in base64.b64decode(sealed.text)


def test_a_credential_is_known_while_its_opened_text_is_cached(
    backend: Backend, key: str, sealed: SealedCredential
) -> None:
    seal = seal_of(backend, key)
    assert seal.known(sealed) is None
    seal.open(sealed)
    assert seal.known(sealed) == FIRST
    assert seal.known(with_byte(sealed, -1)) is None, "another text"
    assert seal.known(replace(sealed, webhook_id="f" * 24)) is None, "the same text in another webhook"
    backend.clock.now += 3601
    assert seal.known(sealed) is None


def test_one_credential_sealed_twice_has_two_texts(backend: Backend, key: str) -> None:
    seal = seal_of(backend, key)
    assert seal.seal(ACME, WEBHOOK, FIRST).text != seal.seal(ACME, WEBHOOK, FIRST).text


@pytest.mark.parametrize("at", [-1, -17, -30])
def test_a_changed_text_is_missing_and_named(
    backend: Backend, key: str, sealed: SealedCredential, at: int
) -> None:
    with pytest.raises(CredentialMissingError, match=f"{WEBHOOK} of acme/north does not open"):
        seal_of(backend, key).open(with_byte(sealed, at))


@pytest.mark.parametrize("text", ["", "!", "AQ==", "AQAA", "AAAA", base64.b64encode(b"\1\0\1").decode()])
def test_a_text_that_is_no_sealed_one_is_missing(backend: Backend, key: str, text: str) -> None:
    with pytest.raises(CredentialMissingError):
        seal_of(backend, key).open(SealedCredential(ACME, WEBHOOK, text))


def test_a_key_that_kms_refuses_as_changed_makes_the_credential_missing(
    backend: Backend, key: str, sealed: SealedCredential
) -> None:
    seal = seal_of(backend, key, decrypt=[fail("InvalidCiphertextException")])
    with pytest.raises(CredentialMissingError):
        seal.open(sealed)
    assert seal.open(sealed) == FIRST


def test_a_later_form_is_postponed(backend: Backend, key: str, sealed: SealedCredential) -> None:
    with pytest.raises(NewerFormError):
        seal_of(backend, key).open(with_byte(sealed, 0, change=3))


def test_a_credential_in_a_later_form_is_postponed(backend: Backend, key: str) -> None:
    made = backend.clients.kms.generate_data_key(
        KeyId=key, KeySpec="AES_256", EncryptionContext=seal_context("acme", "north", WEBHOOK)
    )
    text = seal_text(
        '{"v":2,"token":"t"}',
        key=made["Plaintext"],
        wrapped_key=made["CiphertextBlob"],
        nonce=bytes(12),
        context=seal_context("acme", "north", WEBHOOK),
    )
    with pytest.raises(NewerFormError):
        seal_of(backend, key).open(SealedCredential(ACME, WEBHOOK, text))


@pytest.mark.parametrize("code", OUTAGES)
def test_an_outage_of_kms_is_no_missing_credential(
    backend: Backend, key: str, sealed: SealedCredential, code: str
) -> None:
    seal = seal_of(backend, key, decrypt=[fail(code)], generate_data_key=[fail(code)])
    with pytest.raises(UnavailableError, match=f"kms Decrypt: {code}"):
        seal.open(sealed)
    with pytest.raises(UnavailableError, match=f"kms GenerateDataKey: {code}"):
        seal.seal(ACME, WEBHOOK, FIRST)
    assert seal.open(sealed) == FIRST  # an error is not cached


@pytest.mark.parametrize("fault", [time_out, lose_response])
def test_a_call_without_a_response_can_be_repeated(
    backend: Backend, key: str, sealed: SealedCredential, fault: Replacement
) -> None:
    seal = seal_of(backend, key, decrypt=[fault], generate_data_key=[fault])
    for _ in range(2):
        try:
            assert seal.open(sealed) == FIRST
            assert seal.open(seal.seal(ACME, WEBHOOK, FIRST)) == FIRST
        except UnavailableError as error:
            assert str(error).endswith("ReadTimeoutError")


def test_a_page_is_unavailable_when_kms_is(backend: Backend, key: str, sealed: SealedCredential) -> None:
    seal = seal_of(backend, key, decrypt=forever(fail("ThrottlingException")))
    with pytest.raises(UnavailableError):
        seal.open_many([sealed, replace(sealed, webhook_id="f" * 24)])


def test_a_page_names_what_does_not_open_and_shows_no_text(
    backend: Backend, key: str, sealed: SealedCredential, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert list(seal_of(backend, key).open_many([with_byte(sealed, -1), sealed])) == [None, FIRST]
    [record] = [each for each in caplog.records if each.message == "credential.missing"]
    assert WEBHOOK in vars(record)["reason"]
    assert "first" not in str(vars(record))


def test_a_text_is_opened_once_and_then_cached_for_an_hour(
    backend: Backend, key: str, sealed: SealedCredential
) -> None:
    clients = FaultyClients(backend.clients)
    seal = seal_with(clients, backend, key)
    assert [seal.open(sealed) for _ in range(3)] == [FIRST] * 3
    assert clients.calls == ["decrypt"]
    backend.clock.now += 3601
    seal.open(sealed)
    assert clients.calls == ["decrypt"] * 2


def test_the_same_text_in_another_webhook_is_not_answered_from_the_cache(
    backend: Backend, key: str, sealed: SealedCredential
) -> None:
    seal = seal_of(backend, key)
    assert seal.open(sealed) == FIRST
    for other in (replace(sealed, scope=Scope("acme", "south")), replace(sealed, webhook_id="f" * 24)):
        with pytest.raises(CredentialMissingError):
            seal.open(other)


def test_concurrent_reads_of_a_credential_share_one_call(backend: Backend, key: str) -> None:
    stored = [seal_of(backend, key).seal(ACME, WEBHOOK, Credential(token=str(n))) for n in range(5)]

    def slow(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        time.sleep(0.05)
        return real(**request)

    clients = FaultyClients(backend.clients, decrypt=forever(slow))
    seal = seal_with(clients, backend, key)
    with ThreadPoolExecutor(50) as workers:
        found = list(workers.map(seal.open, [stored[number % 5] for number in range(50)]))
    assert [each.token for each in found] == [str(number % 5) for number in range(50)]
    assert clients.calls == ["decrypt"] * 5


def test_the_largest_credential_fits_an_item_with_the_largest_definition(backend: Backend, key: str) -> None:
    largest = "\0" * CREDENTIAL_LENGTH  # six bytes each as JSON
    credential = Credential(username=largest, password=largest)
    seal = seal_of(backend, key)
    sealed = seal.seal(ACME, WEBHOOK, credential)
    assert seal.open(sealed) == credential
    item = webhook_attributes(replace(make_webhook(WEBHOOK), credential=sealed))
    size = sum(len(name) + len(str(*value.values())) for name, value in item.items())
    assert size + MAX_DEFINITION < LARGEST_ITEM / 2


def test_a_credential_that_is_too_large_is_refused_before_kms_is_asked(backend: Backend, key: str) -> None:
    clients = FaultyClients(backend.clients)
    with pytest.raises(InvalidWebhookError) as refused:
        seal_with(clients, backend, key).seal(ACME, WEBHOOK, Credential(token="x" * LARGEST))
    [problem] = refused.value.wrong
    assert problem.path == ("endpoint", "credential")
    assert str(LARGEST) in problem.rule
    assert clients.calls == []


TEXTS = st.text(st.characters(), max_size=40)


@given(text=TEXTS, key=st.binary(min_size=32, max_size=32), wrapped=st.binary(min_size=1, max_size=300))
def test_every_text_is_opened_to_itself_in_its_context_alone(text: str, key: bytes, wrapped: bytes) -> None:
    context = {"tenant": "a", "community": "b", "webhook": "c"}
    sealed = seal_text(text, key=key, wrapped_key=wrapped, nonce=b"n" * 12, context=context)
    parts = sealed_parts(sealed)
    assert parts is not None
    assert parts.wrapped_key == wrapped
    assert open_text(parts, key=key, context=context) == text
    assert open_text(parts, key=key, context=context | {"webhook": "d"}) is None
    # And no part of one context can become a part of another
    assert open_text(parts, key=key, context={"tenant": "a,b", "community": "", "webhook": "c"}) is None


@given(st.binary(max_size=400))
def test_any_bytes_are_parts_or_none(raw: bytes) -> None:
    try:
        parts = sealed_parts(base64.b64encode(raw).decode())
    except SigningError:
        assert raw[0] > 1
        return
    assert parts is None or (parts.wrapped_key and len(parts.nonce) == 12 and len(parts.encrypted) >= 16)
