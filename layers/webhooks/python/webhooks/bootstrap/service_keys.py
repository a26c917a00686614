"""Composes functions/service_keys: both sets of key pairs, and who may see them."""

from webhooks.adapters.aws import AwsClients
from webhooks.adapters.key_store import SecretKeyStore
from webhooks.bootstrap import runtime
from webhooks.bootstrap.access import compose_access, compose_service_keys
from webhooks.domain.keyring import content_keys
from webhooks.entrypoints.access import Access
from webhooks.entrypoints.key_answers import KeyAnswers
from webhooks.services.service_keys import SERVICE, SIGNING, ServiceKeys
from webhooks.settings import ServiceKeysSettings


def compose() -> tuple[Access, ServiceKeys, KeyAnswers]:
    """Return what the routes need."""
    runtime.log()
    settings, aws = ServiceKeysSettings.load(), AwsClients(time_left=runtime.invocation.left)
    own = compose_service_keys(settings, aws)
    content = SecretKeyStore(aws, settings.signing_keys_secret, parse=content_keys, clock=runtime.clock)
    use_case = ServiceKeys(
        {SERVICE: own, SIGNING: content},
        clock=runtime.clock,
        entropy=runtime.entropy,
        grace=settings.key_grace_seconds,
    )
    return compose_access(settings, aws, own), use_case, KeyAnswers(entropy=runtime.entropy)
