"""Builds the stores of the service's own keys: service keys, signing keys and the webhook master."""

from functools import partial

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.secrets_manager.key_store import SecretKeyStore, SecretMaster
from webhooks.bootstrap.runtime import clock
from webhooks.domain import keyring
from webhooks.settings import ServiceKeySettings, SigningKeySettings, WebhookSecretSettings


def service_key_store(
    settings: ServiceKeySettings, aws: AwsClients, *, seconds: int = keyring.KNOWN
) -> SecretKeyStore:
    """Return the store of the service's keys, which reads them again after `seconds`."""
    parse = partial(keyring.service_keys, curve=settings.curve)
    return SecretKeyStore(aws, settings.service_keys_secret, parse=parse, clock=clock, seconds=seconds)


def signing_key_store(
    settings: SigningKeySettings, aws: AwsClients, *, seconds: int = keyring.KNOWN
) -> SecretKeyStore:
    """Return the store of the signing keys, which reads them again after `seconds`."""
    parse = keyring.signing_keys
    return SecretKeyStore(aws, settings.signing_keys_secret, parse=parse, clock=clock, seconds=seconds)


def webhook_master(settings: WebhookSecretSettings, aws: AwsClients) -> SecretMaster:
    return SecretMaster(aws, settings.webhook_master_secret, clock=clock)
