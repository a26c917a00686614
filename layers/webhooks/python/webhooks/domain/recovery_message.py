"""The text of a message of the recovery queue: a page of a replay, or a look at a webhook."""

import json
from typing import Any

from webhooks.domain.delivery_log import LATEST
from webhooks.domain.delivery_message import RELEASE_ID
from webhooks.domain.errors import MalformedTaskError
from webhooks.domain.forms import TASK, VERSION
from webhooks.domain.replay import RecoveryTask, ReplayPage, WebhookCheck
from webhooks.domain.scope import IDENTIFIER, Scope
from webhooks.domain.webhook import WEBHOOK_ID

MAX_PAGE = 10_000_000  # more pages than any replay has


def encode_task(task: RecoveryTask) -> str:
    """Write a task as the text of one message."""
    fields: dict[str, Any] = {
        "tenantId": task.scope.tenant_id,
        "communityId": task.scope.community_id,
    }
    if isinstance(task, ReplayPage):
        fields |= {"replayId": task.replay_id, "page": task.page}
    else:
        fields |= {"webhookId": task.webhook_id}
        if task.probe_at is not None:
            fields["probeAt"] = task.probe_at
    return json.dumps(fields, separators=(",", ":"))


def decode_task(text: str) -> RecoveryTask:
    """Read a text of `encode_task`. Raises MalformedTaskError, NewerFormError."""
    try:
        fields = json.loads(text)
        TASK.require_known(fields.get(VERSION, 1))
        scope = Scope(_text(fields, "tenantId"), _text(fields, "communityId"))
        if "replayId" in fields:
            task: RecoveryTask = ReplayPage(scope, _text(fields, "replayId"), _number(fields, "page"))
        else:
            probe_at = _number(fields, "probeAt") if "probeAt" in fields else None
            task = WebhookCheck(scope, _text(fields, "webhookId"), probe_at)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise MalformedTaskError(
            "not a task: a JSON object with tenantId, communityId, and replayId and page, or webhookId"
        ) from None
    if not _is_possible(task):
        raise MalformedTaskError("a task with an id, a page or a time that no replay and no webhook has")
    return task


def _text(fields: dict[str, Any], name: str) -> str:
    """Read a text. Raises KeyError, TypeError."""
    value = fields[name]
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(fields: dict[str, Any], name: str) -> int:
    """Read a whole number. Raises KeyError, TypeError."""
    value = fields[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _is_possible(task: RecoveryTask) -> bool:
    scope = task.scope
    if not (IDENTIFIER.fullmatch(scope.tenant_id) and IDENTIFIER.fullmatch(scope.community_id)):
        return False
    if isinstance(task, ReplayPage):
        return bool(RELEASE_ID.fullmatch(task.replay_id)) and 0 <= task.page <= MAX_PAGE
    return bool(WEBHOOK_ID.fullmatch(task.webhook_id)) and 0 <= (task.probe_at or 0) <= LATEST
