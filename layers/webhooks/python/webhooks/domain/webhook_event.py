"""The events that the service itself publishes: a webhook's endpoint fails, recovers, or is disabled."""

import json
from datetime import UTC, datetime
from typing import Final

from webhooks.domain.health import State
from webhooks.domain.webhook import Webhook

FAILING: Final = "webhook.failing"
RECOVERED: Final = "webhook.recovered"
DISABLED: Final = "webhook.disabled"
NAMES = {State.FAILING: FAILING, State.HELD: FAILING, State.HEALTHY: RECOVERED, State.DISABLED: DISABLED}


def webhook_event(webhook: Webhook, state: State, *, at: int, since: int | None, reason: str) -> str:
    """Return the text of the event that a webhook came into a state at `at`; times in epoch ms.

    Its id is the same for each repeat of the change.
    """
    event = {
        "eventName": NAMES[state],
        "tenantId": webhook.scope.tenant_id,
        "communityId": webhook.scope.community_id,
        "eventId": f"{webhook.id}-{state.value}-{at}",
        "occurredAt": _iso(at),
        "data": {
            "webhookId": webhook.id,
            "name": webhook.definition.name,
            "state": state.value,
            "reason": reason,
            **({"since": _iso(since)} if since is not None else {}),
        },
    }
    return json.dumps(event, separators=(",", ":"))


def _iso(at: int) -> str:
    text = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
