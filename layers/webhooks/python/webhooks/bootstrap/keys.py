"""Composes the stores of the service's own key pairs."""

from functools import partial

from signing import Curve
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.secrets_manager.key_store import SecretKeyStore
from webhooks.bootstrap import runtime
from webhooks.domain.keyring import content_keys, service_keys


def compose_service_keys(aws: AwsClients, secret_id: str, curve: Curve) -> SecretKeyStore:
    """Return where the pairs are that callers encrypt for."""
    return SecretKeyStore(aws, secret_id, parse=partial(service_keys, curve=curve), clock=runtime.clock)


def compose_content_keys(aws: AwsClients, secret_id: str) -> SecretKeyStore:
    """Return where the pairs are that sign callbacks' content."""
    return SecretKeyStore(aws, secret_id, parse=content_keys, clock=runtime.clock)
