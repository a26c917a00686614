"""A webhook's credential: written before the webhook that names it, deleted after it.

A failure after the webhook changed leaves an unused version or an orphaned secret; the cleanup deletes it.
A sealed credential has neither.
"""

import logging
from collections.abc import Callable, Sequence

from webhooks.domain.caller import Caller
from webhooks.domain.errors import UnavailableError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Credential, StoredCredential, Webhook
from webhooks.ports import Credentials

logger = logging.getLogger(__name__)


class WebhookCredentials:
    """Keeps credentials in step with their webhooks."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def store(self, scope: Scope, webhook_id: str, credential: Credential) -> StoredCredential | None:
        """Store a webhook's first credential; one without values is none."""
        if not credential.to_mapping():
            return None
        return self._credentials.create(scope, webhook_id, credential=credential)

    def write(self, before: Webhook, credential: Credential) -> StoredCredential | None:
        """Store a changed credential beside the one in use."""
        if before.credential is None:
            return self.store(before.scope, before.id, credential)
        if not credential.to_mapping():
            return None
        return self._credentials.replace(before.credential, credential)

    def visible_to(self, caller: Caller, webhook: Webhook, given: Credential | None) -> Credential | None:
        """Return the credential that the response to a change shows; `given`: the change's own."""
        if not caller.sees_credentials or webhook.credential is None:
            return None
        return given or self._credentials.read_many([webhook.credential])[0]

    def of(self, webhooks: Sequence[Webhook]) -> Sequence[Credential | None]:
        """Return the webhooks' credentials, in their order."""
        refs = [webhook.credential for webhook in webhooks if webhook.credential]
        found = dict(zip(refs, self._credentials.read_many(refs), strict=True))
        return [found.get(webhook.credential) if webhook.credential else None for webhook in webhooks]

    def settle(self, before: StoredCredential | None, after: StoredCredential | None) -> None:
        """Leave only the version in use, once the webhook points to it."""
        if after is not None and after != before:
            _try(self._credentials.settle, after)
        if before is not None and (after is None or after.secret_name != before.secret_name):
            self.delete(before)

    def delete_unnamed(self, ref: StoredCredential | None, webhook: Webhook | None) -> None:
        """Delete a credential that was stored for a webhook, unless the webhook names its secret."""
        named = webhook.credential if webhook else None
        if ref is not None and (named is None or named.secret_name != ref.secret_name):
            self.delete(ref)

    def delete(self, ref: StoredCredential | None) -> None:
        """Delete a credential that no webhook names any more."""
        if ref is not None:
            _try(self._credentials.delete, ref)


def _try(action: Callable[[StoredCredential], None], ref: StoredCredential) -> None:
    try:
        action(ref)
    except UnavailableError as error:
        logger.warning("credential.left", extra={"secret": ref.secret_name, "reason": str(error)})
