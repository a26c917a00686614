"""Takes away what a crash left behind: credentials' secrets that no webhook names.

A wrong table would make every secret an orphan. So only secrets that are bound to this table and stack are
looked at, nothing is deleted where more than a few are orphans, and what is deleted can be restored.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched

from webhooks.domain.errors import UnavailableError
from webhooks.domain.webhook import Webhook
from webhooks.ports import Clock, CredentialSecrets, ListedCredential, Subscriptions, TimeLeft

logger = logging.getLogger(__name__)

# A secret is written before the webhook that names it: younger ones may belong to a request under way.
GRACE = 3600  # seconds
MOST = 10  # orphans are at most one in so many of the listed secrets, or something else is wrong
WEBHOOKS_AT_ONCE = 500  # in memory
RESERVE = 10  # seconds of the invocation in which no other deletion begins
NAMED = 20  # orphans that the log line of a stopped run names
ADVICE = (
    "nothing was deleted: compare the table with the secrets (docs/restore.md); a secret that no webhook "
    "needs goes with: aws secretsmanager delete-secret --secret-id NAME"
)


@dataclass(frozen=True, slots=True)
class CleanupResult:
    """Counts of a run. `unbound`: secrets of another table or stack, or of none; they stay.

    `stopped`: why nothing was deleted, where more than nothing was to be.
    """

    listed: int
    unbound: int
    orphans: int
    deleted: int
    stopped: str | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Return how many of each, by name."""
        return {
            "listed": self.listed,
            "unbound": self.unbound,
            "orphans": self.orphans,
            "deleted": self.deleted,
        }


class OrphanCleanup:
    """Sweeps orphaned credentials. `time_left`: of the running invocation."""

    def __init__(
        self,
        *,
        secrets: CredentialSecrets,
        subscriptions: Subscriptions,
        clock: Clock,
        time_left: TimeLeft,
    ) -> None:
        self._secrets = secrets
        self._subscriptions = subscriptions
        self._clock = clock
        self._time_left = time_left

    def run(self) -> CleanupResult:
        """Have the orphans deleted, but for those that are left to the next run. Raises UnavailableError."""
        secrets = self._secrets.listed()
        listed = [each for each in secrets if each.is_bound]
        is_empty, orphans = self._orphans(listed)
        stopped = _objection(len(listed), len(orphans), is_empty=is_empty)
        deleted = 0 if stopped else self._delete(orphans)
        cleaned = CleanupResult(len(listed), len(secrets) - len(listed), len(orphans), deleted, stopped)
        if stopped:
            names = [orphan.secret_name for orphan in orphans[:NAMED]]
            extra = {**cleaned.counts, "reason": stopped, "secrets": names, "advice": ADVICE}
            logger.error("orphan_cleanup.stopped", extra=extra)
        else:
            logger.info("orphan_cleanup.completed", extra=cleaned.counts)
        return cleaned

    def _orphans(self, listed: Sequence[ListedCredential]) -> tuple[bool, list[ListedCredential]]:
        """Tell whether the table has none of the secrets' webhooks; return those that no webhook names."""
        before = self._clock() - GRACE
        is_empty, orphans = True, []
        for some in batched(listed, WEBHOOKS_AT_ONCE, strict=False):
            webhooks = self._subscriptions.get_many(sorted({(each.scope, each.webhook_id) for each in some}))
            is_empty = is_empty and not webhooks
            orphans += [
                each
                for each in some
                if each.created_at <= before and _is_orphan(each, webhooks.get((each.scope, each.webhook_id)))
            ]
        return is_empty, orphans

    def _delete(self, orphans: Sequence[ListedCredential]) -> int:
        deleted = 0
        for number, orphan in enumerate(orphans):
            if self._time_left() < RESERVE:
                logger.warning("orphan_cleanup.out_of_time", extra={"left": len(orphans) - number})
                break
            try:
                self._secrets.expire(orphan.secret_name)
                deleted += 1
            except UnavailableError as error:
                logger.warning("orphan.left", extra={"secret": orphan.secret_name, "reason": str(error)})
        return deleted


def _objection(listed: int, orphans: int, *, is_empty: bool) -> str | None:
    """Say why the orphans cannot be believed to be such."""
    if orphans and is_empty:
        return "the table has none of the webhooks: it is empty, or another one than the secrets belong to"
    if orphans * MOST > listed:
        return f"more than one in {MOST} of the listed secrets would be deleted"
    return None


def _is_orphan(listed: ListedCredential, webhook: Webhook | Exception | None) -> bool:
    """Tell whether no webhook names the secret; one that cannot be read may still name it."""
    if webhook is None:
        return True
    if not isinstance(webhook, Webhook):
        return False
    return webhook.credential is None or webhook.credential.secret_name != listed.secret_name
