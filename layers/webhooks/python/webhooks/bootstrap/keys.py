"""Builds the stores of the service's own keys: service keys, signing keys and the webhook master.

Stores with one `reader` share the reads of a secret that has the keys of all (SeedSecrets=One).
"""

from functools import partial

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.secrets_manager.key_store import SecretKeyStore, SecretMaster
from webhooks.adapters.secrets_manager.secret_reader import SecretReader
from webhooks.bootstrap.runtime import clock
from webhooks.domain import keyring
from webhooks.domain.key_parts import SERVICE_PART, SIGNING_PART
from webhooks.settings import ServiceKeySettings, SigningKeySettings, WebhookSecretSettings


def secret_reader(aws: AwsClients) -> SecretReader:
    return SecretReader(aws, clock=clock)


def service_key_store(
    settings: ServiceKeySettings,
    aws: AwsClients,
    *,
    seconds: int = keyring.KNOWN,
    reader: SecretReader | None = None,
) -> SecretKeyStore:
    """Return the store of the service's keys, which reads them again after `seconds`."""
    return SecretKeyStore(
        aws,
        settings.service_keys_secret,
        parse=partial(keyring.service_keys, curve=settings.curve),
        part=SERVICE_PART,
        clock=clock,
        seconds=seconds,
        reader=reader,
    )


def signing_key_store(
    settings: SigningKeySettings,
    aws: AwsClients,
    *,
    seconds: int = keyring.KNOWN,
    reader: SecretReader | None = None,
) -> SecretKeyStore:
    """Return the store of the signing keys, which reads them again after `seconds`."""
    return SecretKeyStore(
        aws,
        settings.signing_keys_secret,
        parse=keyring.signing_keys,
        part=SIGNING_PART,
        clock=clock,
        seconds=seconds,
        reader=reader,
    )


def webhook_master(
    settings: WebhookSecretSettings, aws: AwsClients, *, reader: SecretReader | None = None
) -> SecretMaster:
    return SecretMaster(aws, settings.webhook_master_secret, clock=clock, reader=reader)
