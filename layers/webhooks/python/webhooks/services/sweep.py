"""Takes away what a crash left behind: credentials' secrets that no webhook names."""

import logging

from webhooks.domain.errors import UnavailableError
from webhooks.domain.webhook import CredentialRef, Webhook
from webhooks.ports import Clock, Credentials, ListedCredential, Subscriptions

logger = logging.getLogger(__name__)

# A secret is written before the webhook that names it: younger ones may belong to a request under way.
GRACE = 3600


class Sweep:
    """Sweeps orphaned credentials. `grace`: seconds that a secret may exist without a webhook."""

    def __init__(
        self, *, credentials: Credentials, subscriptions: Subscriptions, clock: Clock, grace: int = GRACE
    ) -> None:
        self._credentials = credentials
        self._subscriptions = subscriptions
        self._clock = clock
        self._grace = grace

    def run(self) -> int:
        """Delete the orphans; returns how many. What cannot be deleted now is left for the next run."""
        before = self._clock() - self._grace
        old = [listed for listed in self._credentials.listed() if listed.created_at <= before]
        webhooks = self._subscriptions.get_many(sorted({(each.scope, each.webhook_id) for each in old}))
        orphans = [each for each in old if _orphaned(each, webhooks.get((each.scope, each.webhook_id)))]
        deleted = 0
        for orphan in orphans:
            try:
                self._credentials.delete(CredentialRef(orphan.secret_name, version_id=""))
                deleted += 1
            except UnavailableError as error:
                logger.warning("orphan.left", extra={"secret": orphan.secret_name, "reason": str(error)})
        logger.info("sweep.completed", extra={"listed": len(old), "deleted": deleted})
        return deleted


def _orphaned(listed: ListedCredential, webhook: Webhook | Exception | None) -> bool:
    """Tell whether no webhook names the secret; one that cannot be read may still name it."""
    if webhook is None:
        return True
    if not isinstance(webhook, Webhook):
        return False
    return webhook.credential is None or webhook.credential.secret_name != listed.secret_name
