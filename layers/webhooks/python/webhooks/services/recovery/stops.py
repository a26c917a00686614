"""The reasons for which a replay or a recovery stops. Pure."""

from collections.abc import Mapping

from webhooks.domain.delivery import ReleaseKind
from webhooks.domain.health import Health
from webhooks.domain.replay import Replay
from webhooks.domain.webhook import Webhook

MAX_FAILURES = 3  # attempts in a row without success after which a recovery stops


def reason_to_stop(replay: Replay, webhooks: Mapping[str, Webhook]) -> str | None:
    """Say why a replay stops; None where it goes on. `webhooks`: those that exist of it, by their ids.

    A replay by a list of deliveries, of several webhooks, stops where none of them can get any.
    """
    reasons = [reason_to_wait(webhook) for webhook in webhooks.values()]
    if not reasons:
        return "its webhook was deleted"
    if all(reasons):
        return reasons[0]
    if replay.kind is ReleaseKind.RECOVERY and any(map(is_troubled, webhooks.values())):
        return "its endpoint failed again"
    return None


def reason_to_wait(webhook: Webhook) -> str | None:
    """Say why nothing is sent to a webhook now; None where it is."""
    if not webhook.enabled:
        return "its webhook is disabled"
    if webhook.definition.paused:
        return "its webhook is paused"
    if webhook.health.held_since is not None:
        return "its endpoint is down, and deliveries to it are held"
    return None


def is_marked(webhook: Webhook) -> bool:
    """Tell whether a webhook's state says that its endpoint does not respond: a probe is due then."""
    return webhook.health.failing_since is not None or webhook.health.held_since is not None


def is_troubled(webhook: Webhook) -> bool:
    """Tell whether an endpoint does not respond: a probe must succeed before its backlog is sent."""
    return is_marked(webhook) or has_failed_in_a_row(webhook.health)


def has_failed_in_a_row(health: Health) -> bool:
    """Tell whether so many attempts in a row failed that a recovery stops."""
    return health.failures >= MAX_FAILURES


def failed_again(webhooks: Mapping[str, Webhook]) -> bool:
    """Tell whether a recovery stops for failures that its webhook's state does not show: no probe is due."""
    return any(
        each.enabled and not each.definition.paused and is_troubled(each) and not is_marked(each)
        for each in webhooks.values()
    )
