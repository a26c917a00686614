"""Deliveries with a credential: in a secret of its own, or sealed in the webhook's item. A stub is AWS."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from benchmarks import event_path
from benchmarks.consumption import Consumption
from benchmarks.shape_counts import handle, packs_of, webhooks_of
from signing.sealed_text import NONCE_BYTES, seal_context, seal_text
from tests.aws_stub.responses import Respond, stub_aws, stub_client
from webhooks.domain.credential_text import write_credential
from webhooks.domain.webhook import AuthType, Credential, CredentialRef, SealedCredential, Webhook
from webhooks_cli.costs.figures import SINGLE

STORES = ("none", "SecretsManager", "Table")
CREDENTIAL = write_credential(Credential(token="t" * 40))
DATA_KEY, WRAPPED = bytes(32), bytes(184)  # as long as KMS makes a data key of 32 bytes
SHAPE = SINGLE


@dataclass(frozen=True, slots=True)
class CredentialCalls:
    """The dispatcher's consumption of a batch: its first, and one whose credentials are cached."""

    first: Consumption
    cached: Consumption


def count_credentials(store: str, url: str) -> CredentialCalls:
    """Count ten deliveries to ten webhooks whose credentials a store has."""
    counted = Consumption()
    run = batch_runner(store, url, counted.counting)
    first = Consumption()
    run()
    first.calls.update(counted.calls)
    counted.forget()
    run()
    return CredentialCalls(first, counted)


def batch_runner(
    store: str, url: str, around: Callable[[Respond], Respond] = lambda each: each
) -> Callable[[], None]:
    """Return a function that dispatches a batch. `around`: of AWS's responses."""
    webhooks = [_with_credential(each, store) for each in webhooks_of(SHAPE, url)]
    function = event_path.function("dispatcher", POWERTOOLS_SERVICE_NAME="dispatcher")
    respond = around(_responses(webhooks))
    stub_aws(function.app.aws, respond)
    stub_client(function.app.aws.kms, respond)
    batch = packs_of(webhooks, SHAPE)
    return lambda: handle(function.lambda_handler, batch)


def _with_credential(webhook: Webhook, store: str) -> Webhook:
    if store == "none":
        return webhook
    endpoint = replace(webhook.definition.endpoint, auth_type=AuthType.BEARER)
    context = seal_context(webhook.scope.tenant_id, webhook.scope.community_id, webhook.id)
    text = seal_text(CREDENTIAL, key=DATA_KEY, wrapped_key=WRAPPED, nonce=bytes(NONCE_BYTES), context=context)
    credential = (
        SealedCredential(webhook.scope, webhook.id, text)
        if store == "Table"
        else CredentialRef(f"{event_path.ENVIRONMENT['CREDENTIALS_PREFIX']}{webhook.id}", "v")
    )
    return replace(webhook, definition=replace(webhook.definition, endpoint=endpoint), credential=credential)


def _responses(webhooks: Sequence[Webhook]) -> Respond:
    usual = event_path.responses(webhooks)
    credential = {"Name": "n", "VersionId": "v", "SecretString": CREDENTIAL}
    opened = json.dumps({"KeyId": "k", "Plaintext": base64.b64encode(DATA_KEY).decode()}).encode()

    def respond(operation: str, body: bytes) -> bytes:
        if operation == "Decrypt":
            return opened
        if operation == "GetSecretValue" and event_path.ENVIRONMENT["CREDENTIALS_PREFIX"].encode() in body:
            return json.dumps(credential).encode()
        return usual[operation]

    return respond
