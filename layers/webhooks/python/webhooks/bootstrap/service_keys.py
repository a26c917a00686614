"""Composes functions/service_keys: both sets of key pairs, and who may see them."""

from webhooks.adapters.aws.clients import AwsClients
from webhooks.bootstrap import runtime
from webhooks.bootstrap.access import compose_access
from webhooks.bootstrap.keys import compose_content_keys, compose_service_keys
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.entrypoints.api.service_key_responses import ServiceKeyResponses
from webhooks.services.service_keys import SERVICE, SIGNING, ServiceKeys
from webhooks.settings import ServiceKeysSettings


def compose() -> tuple[Authenticator, ServiceKeys, ServiceKeyResponses]:
    """Return what the routes need."""
    runtime.log()
    settings, aws = ServiceKeysSettings.load(), AwsClients(time_left=runtime.invocation.left)
    own = compose_service_keys(aws, settings.service_keys_secret, settings.curve)
    content = compose_content_keys(aws, settings.signing_keys_secret)
    use_case = ServiceKeys(
        {SERVICE: own, SIGNING: content},
        clock=runtime.clock,
        random_bytes=runtime.random_bytes,
        grace=settings.key_grace_seconds,
    )
    return (
        compose_access(settings, aws, own),
        use_case,
        ServiceKeyResponses(random_bytes=runtime.random_bytes),
    )
