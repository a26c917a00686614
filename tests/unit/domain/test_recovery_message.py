"""Tasks of the recovery queue as text."""

import json

import pytest

from webhooks.domain.errors import MalformedTaskError
from webhooks.domain.recovery_message import MAX_PAGE, decode_task, encode_task
from webhooks.domain.replay import RecoveryTask, ReplayPage, WebhookCheck
from webhooks.domain.scope import Scope

SCOPE = Scope("acme", "a.b_c-d")
REPLAY = "00112233445566778899aabb"
PAGE = {"tenantId": "acme", "communityId": "north", "replayId": REPLAY, "page": 3}
CHECK = {"tenantId": "acme", "communityId": "north", "webhookId": REPLAY}


@pytest.mark.parametrize(
    "task",
    [
        ReplayPage(SCOPE, REPLAY, 0),
        ReplayPage(SCOPE, REPLAY, MAX_PAGE),
        WebhookCheck(SCOPE, REPLAY),
        WebhookCheck(SCOPE, REPLAY, 0),
        WebhookCheck(SCOPE, REPLAY, 1_790_000_000_123),
    ],
)
def test_a_task_is_read_as_it_was_written(task: RecoveryTask) -> None:
    assert decode_task(encode_task(task)) == task


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "null",
        "7",
        '"text"',
        "[" * 100_000,
        *(
            json.dumps({name: value for name, value in of.items() if name != left})
            for of, left in ((PAGE, "tenantId"), (PAGE, "page"), (CHECK, "communityId"), (CHECK, "webhookId"))
        ),
        json.dumps(PAGE | {"page": -1}),
        json.dumps(PAGE | {"page": MAX_PAGE + 1}),
        json.dumps(PAGE | {"page": True}),
        json.dumps(PAGE | {"page": 1.5}),
        json.dumps(PAGE | {"page": "1"}),
        json.dumps(PAGE | {"replayId": "x"}),
        json.dumps(PAGE | {"replayId": REPLAY + "\n"}),
        json.dumps(PAGE | {"tenantId": "a#b"}),
        json.dumps(CHECK | {"communityId": ""}),
        json.dumps(CHECK | {"webhookId": 7}),
        json.dumps(CHECK | {"webhookId": "G" * 24}),
        json.dumps(CHECK | {"probeAt": -1}),
        json.dumps(CHECK | {"probeAt": 2**48}),
        json.dumps(CHECK | {"probeAt": None}),
    ],
)
def test_a_text_that_is_no_task_is_refused(text: str) -> None:
    with pytest.raises(MalformedTaskError):
        decode_task(text)
