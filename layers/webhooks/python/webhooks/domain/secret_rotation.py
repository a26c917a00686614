"""How a webhook's `whsec_` secret is replaced: the new version signs at once, the earlier one beside it."""

import math
from dataclasses import replace

from webhooks.domain.errors import ConflictError
from webhooks.domain.webhook import OldSecret, Webhook

GRACE = 24 * 3600  # seconds that a replaced secret goes on signing: its receiver has to learn the new one
MOST = 5  # earlier secrets that sign at once: each is a signature (48 bytes) in every callback


def rotated(before: Webhook, *, now: float) -> Webhook:
    """Return the webhook's next revision, with a new secret. `now` in epoch seconds.

    Raises ConflictError where too many earlier secrets still sign.
    """
    signing = [each for each in before.old_secrets if now < each.until]
    if len(signing) >= MOST:
        ends = min(each.until for each in signing)
        raise ConflictError(
            f"webhookId: {MOST} earlier secrets of this webhook still sign, which is the most; the first of "
            f"them ends in {math.ceil(ends - now)} seconds, rotate again then"
        )
    replaced = OldSecret(before.secret_version, until=math.ceil(now) + GRACE)
    return replace(
        before,
        secret_version=before.secret_version + 1,
        old_secrets=(replaced, *signing),
        revision=before.revision + 1,
    )
