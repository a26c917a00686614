"""Seals webhooks' credentials by envelope encryption: each under a data key of its own, which KMS unwraps."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256

from botocore.exceptions import ClientError

from signing import SigningError
from signing.sealed_text import NONCE_BYTES, SealedText, open_text, seal_context, seal_text, sealed_parts
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import error_code, unavailable
from webhooks.adapters.loading_cache import LoadingCache
from webhooks.domain.credential_text import read_credential, write_credential
from webhooks.domain.errors import CredentialMissingError, InvalidWebhookError, NewerFormError, Problem
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Credential, SealedCredential
from webhooks.ports import Clock, RandomBytes

LARGEST = 65_536  # bytes, as in a secret: every credential can have either form
CACHE_SIZE = 512
CACHE_SECONDS = 3600  # a sealed text never changes: this only bounds how long credentials stay in memory
OPENERS = 8  # threads that open a page's credentials
NOT_OURS = "InvalidCiphertextException"  # the wrapped key was changed, or its context is another webhook's

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Opening:
    """A key of the cache: it is compared by its digest, and has the text until it is opened."""

    digest: bytes
    sealed: SealedCredential | None = field(compare=False, repr=False)

    def __hash__(self) -> int:
        return hash(self.digest)


class KmsCredentialSeal:
    """Seals and opens under one key of KMS. `key_id`: its ARN; empty where nothing is sealed."""

    def __init__(self, aws: AwsClients, *, key_id: str, clock: Clock, random_bytes: RandomBytes) -> None:
        self._aws = aws
        self._key = {"KeyId": key_id} if key_id else {}
        self._random_bytes = random_bytes
        self._cache = LoadingCache(self._load, size=CACHE_SIZE, clock=clock, name="credential")

    def seal(self, scope: Scope, webhook_id: str, credential: Credential) -> SealedCredential:
        """Encrypt a webhook's credential. Raises InvalidWebhookError for one that is too large."""
        text = write_credential(credential)
        size = len(text.encode("utf-8", "surrogatepass"))
        if size > LARGEST:
            raise InvalidWebhookError(
                [Problem(("endpoint", "credential"), f"may have {LARGEST} bytes as JSON, it has {size}")]
            )
        context = _context(scope, webhook_id)
        with unavailable("kms GenerateDataKey"):
            made = self._aws.kms.generate_data_key(**self._key, KeySpec="AES_256", EncryptionContext=context)
        sealed = seal_text(
            text,
            key=made["Plaintext"],
            wrapped_key=made["CiphertextBlob"],
            nonce=self._random_bytes(NONCE_BYTES),
            context=context,
        )
        return SealedCredential(scope, webhook_id, sealed)

    def open(self, sealed: SealedCredential) -> Credential:
        """Decrypt a credential; calls while it is opened share the result. Raises CredentialMissingError."""
        return self._cache.get(_Opening(_digest(sealed), sealed))

    def known(self, sealed: SealedCredential) -> Credential | None:
        """Return a credential that is cached."""
        return self._cache.known(_Opening(_digest(sealed), None))

    def open_many(self, sealed: Sequence[SealedCredential]) -> Sequence[Credential | None]:
        """Decrypt several, in their order; None where one does not open."""
        if len(sealed) < 2:  # noqa: PLR2004 - one needs no threads
            return [self._open_or_none(each) for each in sealed]
        with ThreadPoolExecutor(min(OPENERS, len(sealed))) as openers:
            return list(openers.map(self._open_or_none, sealed))

    def _open_or_none(self, sealed: SealedCredential) -> Credential | None:
        try:
            return self.open(sealed)
        except CredentialMissingError as error:
            logger.warning("credential.missing", extra={"reason": str(error)})
            return None

    def _load(self, opening: _Opening) -> tuple[Credential, float]:
        sealed, opening.sealed = opening.sealed, None  # the cache keeps what it is opened to, not both
        if sealed is None:
            raise AssertionError("a key of the cache is loaded once")
        place = f"{sealed.webhook_id} of {sealed.scope.tenant_id}/{sealed.scope.community_id}"
        context = _context(sealed.scope, sealed.webhook_id)
        parts = _parts(sealed.text)
        key = self._unwrap(parts.wrapped_key, context) if parts else None
        text = open_text(parts, key=key, context=context) if parts and key else None
        if text is None:
            raise CredentialMissingError(f"the sealed credential of the webhook {place} does not open")
        credential = read_credential(text)
        if credential is None:
            raise CredentialMissingError(f"the sealed text of the webhook {place} holds no credential")
        return credential, CACHE_SECONDS

    def _unwrap(self, wrapped_key: bytes, context: dict[str, str]) -> bytes | None:
        """Return a data key; None where it is no key of this context.

        A key of another KMS key is an outage, as a missing permission is: the deployment may be wrong.
        """
        with unavailable("kms Decrypt"):
            try:
                found = self._aws.kms.decrypt(
                    **self._key, CiphertextBlob=wrapped_key, EncryptionContext=context
                )
            except ClientError as error:
                if error_code(error) != NOT_OURS:
                    raise
                return None
        key: bytes = found["Plaintext"]
        return key


def _digest(sealed: SealedCredential) -> bytes:
    place = f"{sealed.scope.tenant_id}/{sealed.scope.community_id}/{sealed.webhook_id}"
    return sha256(f"{place}/{sealed.text}".encode()).digest()


def _context(scope: Scope, webhook_id: str) -> dict[str, str]:
    return seal_context(scope.tenant_id, scope.community_id, webhook_id)


def _parts(text: str) -> SealedText | None:
    try:
        return sealed_parts(text)
    except SigningError as error:
        raise NewerFormError(str(error)) from None
