"""Deletes orphaned secrets: a crash can leave a credential's secret that no webhook names.

With a wrong table every secret is an orphan. Therefore only secrets that are bound to this table and stack
are considered, nothing is deleted where more than a few are orphans or while the table is restored, and a
deleted secret can be restored.
"""

import logging
from collections.abc import Sequence
from itertools import batched

from webhooks.domain.errors import UnavailableError
from webhooks.domain.values import value_type
from webhooks.domain.webhook import Webhook
from webhooks.ports import Clock, CredentialSecrets, ListedCredential, Subscriptions, TimeLeft

logger = logging.getLogger(__name__)

# A secret is written before the webhook that names it: a younger one may belong to a running request.
GRACE = 3600  # seconds
MAX_SHARE = 10  # orphans are at most one in so many listed secrets, or the table may be the wrong one
WEBHOOKS_AT_ONCE = 500  # in memory
RESERVE = 10  # seconds before the invocation's end from which no deletion begins
NAMED = 20  # orphans in the log line of a stopped run
ADVICE = (
    "nothing was deleted: compare the table with the secrets (docs/restore.md); to delete an orphaned "
    "secret: aws secretsmanager delete-secret --secret-id NAME"
)


@value_type(frozen=True, slots=True)
class CleanupResult:
    """Counts of a run. `unbound`: secrets of another table or stack, or of none; they stay.

    `stopped`: the reason why no orphan was deleted; None otherwise.
    """

    listed: int
    unbound: int
    orphans: int
    deleted: int
    stopped: str | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Return the counts by name."""
        return {
            "listed": self.listed,
            "unbound": self.unbound,
            "orphans": self.orphans,
            "deleted": self.deleted,
        }


class OrphanCleanup:
    """Deletes orphaned secrets. `time_left`: of the running invocation."""

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
        """Delete orphans as far as the time allows; the next run continues. Raises UnavailableError."""
        secrets = self._secrets.listed()
        listed = [each for each in secrets if each.is_bound]
        is_empty, orphans = self._orphans(listed)
        stopped = _reason_to_stop(len(listed), len(orphans), is_empty=is_empty)
        if orphans and self._subscriptions.is_restoring():
            stopped = "a restore runs, or was cut off: run `webhooks backup restore` to its end"
        deleted = 0 if stopped else self._delete(orphans)
        result = CleanupResult(len(listed), len(secrets) - len(listed), len(orphans), deleted, stopped)
        if stopped:
            names = [orphan.secret_name for orphan in orphans[:NAMED]]
            extra = {**result.counts, "reason": stopped, "secrets": names, "advice": ADVICE}
            logger.error("orphan_cleanup.stopped", extra=extra)
        else:
            logger.info("orphan_cleanup.completed", extra=result.counts)
        return result

    def _orphans(self, listed: Sequence[ListedCredential]) -> tuple[bool, list[ListedCredential]]:
        """Tell whether the table has none of the secrets' webhooks, and return the orphaned secrets."""
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
                extra = {"secret": orphan.secret_name, "reason": str(error)}
                logger.warning("orphan_cleanup.not_deleted", extra=extra)
        return deleted


def _reason_to_stop(listed: int, orphans: int, *, is_empty: bool) -> str | None:
    """Say why the orphans may not be orphans; None where they are."""
    if orphans and is_empty:
        return "the table has none of the webhooks: it is empty, or another one than the secrets belong to"
    if orphans * MAX_SHARE > listed:
        return f"more than one in {MAX_SHARE} of the listed secrets would be deleted"
    return None


def _is_orphan(listed: ListedCredential, webhook: Webhook | Exception | None) -> bool:
    """Tell whether the secret has no webhook; a webhook that cannot be read may name it."""
    if webhook is None:
        return True
    if not isinstance(webhook, Webhook):
        return False
    return webhook.credential is None or webhook.credential.secret_name != listed.secret_name
