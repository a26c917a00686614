"""Webhooks' credentials in Secrets Manager: one secret for each webhook, one version for each change.

A version in use must have a staging label, or Secrets Manager may delete it. A new version gets a label of
its own; once a webhook points to it, `settle` gives it AWSCURRENT instead.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any
from uuid import UUID

from botocore.exceptions import ClientError

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import error_code, unavailable
from webhooks.adapters.loading_cache import LoadingCache
from webhooks.adapters.secrets_manager.credential_secrets import (
    ABSENT,
    OF,
    as_tags,
    is_bound,
    path_of,
    webhook_of,
)
from webhooks.domain.credential_text import read_credential, write_credential
from webhooks.domain.errors import CredentialMissingError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Credential, CredentialRef
from webhooks.ports import Clock, RandomBytes

CURRENT = "AWSCURRENT"
LABEL = re.compile(r"since-([0-9]+)-[0-9a-f]+", re.ASCII)
LABEL_SECONDS = 3600  # a version that no webhook points to after so long was left by a crash
CACHE_SIZE = 512
CACHE_SECONDS = 3600  # versions never change: this only bounds how long secrets stay in memory
READERS = 8  # threads that read a page's credentials

logger = logging.getLogger(__name__)


class SecretCredentials:
    """The secrets under a prefix. `kms_key_id` is empty where the account's own key encrypts them.

    `tags` bind a secret to its deployment (`credential_secrets.binding`); without them no cleanup takes it.
    """

    def __init__(
        self,
        aws: AwsClients,
        *,
        prefix: str,
        kms_key_id: str,
        clock: Clock,
        random_bytes: RandomBytes,
        tags: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._aws = aws
        self._prefix = prefix
        self._kms = {"KmsKeyId": kms_key_id} if kms_key_id else {}
        self._clock = clock
        self._random_bytes = random_bytes
        self._tags = tags
        self._cache = LoadingCache(self._load, size=CACHE_SIZE, clock=clock, name="credential")

    def create(self, scope: Scope, webhook_id: str, *, credential: Credential) -> CredentialRef:
        """Store a webhook's first credential."""
        path = path_of(scope, webhook_id)
        ref = CredentialRef(f"{self._prefix}{path}-{self._random_bytes(4).hex()}", self._version())
        request: dict[str, Any] = {
            "Name": ref.secret_name,
            "ClientRequestToken": ref.version_id,
            "SecretString": write_credential(credential),
            "Tags": as_tags({OF: path, **self._tags}),
            **self._kms,
        }
        with unavailable("secretsmanager CreateSecret"):
            try:
                # AWS takes our version id, so that a repeat is harmless; the emulator gives one of its own.
                version = self._aws.secrets.create_secret(**request)["VersionId"]
            except ClientError as error:
                # The name is random: where it exists, this call was repeated.
                if error_code(error) != "ResourceExistsException":
                    raise
                version = ref.version_id
        return CredentialRef(ref.secret_name, version)

    def replace(self, ref: CredentialRef, credential: Credential) -> CredentialRef:
        """Store a new version beside the one in use; a new secret where that one is gone."""
        after = CredentialRef(ref.secret_name, self._version())
        with unavailable("secretsmanager PutSecretValue"):
            try:
                self._aws.secrets.put_secret_value(
                    SecretId=after.secret_name,
                    ClientRequestToken=after.version_id,
                    SecretString=write_credential(credential),
                    VersionStages=[f"since-{int(self._clock())}-{self._random_bytes(4).hex()}"],
                )
            except ClientError as error:
                webhook = webhook_of(ref.secret_name, self._prefix)
                if error_code(error) not in ABSENT or webhook is None:
                    raise
                return self.create(*webhook, credential=credential)
        return after

    def settle(self, ref: CredentialRef) -> None:
        """Make this version the current one, and take the labels off versions that crashes left behind.

        A secret of an earlier version of this service, or of the table before a restore, becomes this one's.
        """
        secret = self._describe(ref.secret_name)
        stages: dict[str, list[str]] = secret.get("VersionIdsToStages", {})
        current = next((version for version, labels in stages.items() if CURRENT in labels), None)
        if current != ref.version_id:
            removed = {"RemoveFromVersionId": current} if current else {}
            self._move(ref.secret_name, CURRENT, {"MoveToVersionId": ref.version_id} | removed)
        for version, labels in stages.items():
            for label in labels:
                if (made := LABEL.fullmatch(label)) and (
                    version == ref.version_id or int(made[1]) < self._clock() - LABEL_SECONDS
                ):
                    self._move(ref.secret_name, label, {"RemoveFromVersionId": version})
        if not is_bound(secret.get("Tags", []), self._tags):
            with unavailable("secretsmanager TagResource"):
                self._aws.secrets.tag_resource(SecretId=ref.secret_name, Tags=as_tags(self._tags))

    def read(self, ref: CredentialRef) -> Credential:
        """Return a credential; calls while it is read share the result. Raises CredentialMissingError."""
        return self._cache.get(ref)

    def known(self, ref: CredentialRef) -> Credential | None:
        """Return a credential that is cached."""
        return self._cache.known(ref)

    def read_many(self, refs: Sequence[CredentialRef]) -> Sequence[Credential | None]:
        """Return several, in their order; None where the secret is missing."""
        if len(refs) < 2:  # noqa: PLR2004 - one needs no threads
            return [self._read_or_none(ref) for ref in refs]
        with ThreadPoolExecutor(min(READERS, len(refs))) as readers:
            return list(readers.map(self._read_or_none, refs))

    def delete(self, ref: CredentialRef) -> None:
        """Delete a credential with all its versions, at once: its tenant has given it up."""
        with unavailable("secretsmanager DeleteSecret"):
            try:
                self._aws.secrets.delete_secret(SecretId=ref.secret_name, ForceDeleteWithoutRecovery=True)
            except ClientError as error:
                if error_code(error) not in ABSENT:
                    raise

    def _load(self, ref: CredentialRef) -> tuple[Credential, float]:
        with unavailable("secretsmanager GetSecretValue"):
            try:
                response = self._aws.secrets.get_secret_value(
                    SecretId=ref.secret_name, VersionId=ref.version_id
                )
            except ClientError as error:
                if error_code(error) not in ABSENT:
                    raise
                raise CredentialMissingError(f"the secret {ref.secret_name} has no such version") from None
        credential = read_credential(response.get("SecretString", ""))
        if credential is None:
            raise CredentialMissingError(f"the secret {ref.secret_name} holds no credential")
        return credential, CACHE_SECONDS

    def _version(self) -> str:
        return str(UUID(bytes=self._random_bytes(16), version=4))

    def _describe(self, secret_name: str) -> Mapping[str, Any]:
        with unavailable("secretsmanager DescribeSecret"):
            return self._aws.secrets.describe_secret(SecretId=secret_name)

    def _move(self, secret_name: str, label: str, versions: dict[str, str]) -> None:
        request: dict[str, Any] = {"SecretId": secret_name, "VersionStage": label, **versions}
        with unavailable("secretsmanager UpdateSecretVersionStage"):
            self._aws.secrets.update_secret_version_stage(**request)

    def _read_or_none(self, ref: CredentialRef) -> Credential | None:
        try:
            return self.read(ref)
        except CredentialMissingError as error:
            logger.warning("credential.missing", extra={"reason": str(error)})
            return None
