"""Opens the store of credentials on a backend, in either form."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from tests.contract.backends import Backend
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.credential_forms import CredentialForms
from webhooks.adapters.kms.credential_seal import KmsCredentialSeal
from webhooks.adapters.secrets_manager.credential_secrets import webhook_of
from webhooks.adapters.secrets_manager.credentials import SecretCredentials


def open_credentials(
    backend: Backend,
    prefix: str,
    *,
    key: str = "",
    seals: bool = False,
    tags: Mapping[str, str] = MappingProxyType({}),
    aws: AwsClients | None = None,
) -> CredentialForms:
    """Return the store. `key`: the ARN of the key of KMS; `aws`: in place of the backend's clients."""
    aws = aws or backend.clients
    secrets = SecretCredentials(
        aws, prefix=prefix, kms_key_id=key, clock=backend.clock, random_bytes=backend.random_bytes, tags=tags
    )
    seal = KmsCredentialSeal(aws, key_id=key, clock=backend.clock, random_bytes=backend.random_bytes)
    return CredentialForms(secrets, seal, seals=seals, webhook_of=partial(webhook_of, prefix=prefix))


def make_key(backend: Backend) -> str:
    """Make a key of KMS and return its ARN."""
    arn: str = backend.clients.kms.create_key()["KeyMetadata"]["Arn"]
    return arn
