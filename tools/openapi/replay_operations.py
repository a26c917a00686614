"""The operations of replays: one row each."""

from tools.openapi import replay_examples
from tools.openapi.operations import CHANGE, COMMUNITY, DELIVERIES, SCOPED, SIGNED, Operation
from webhooks.entrypoints.api.schemas.replay_out import ReplayCountOut, ReplayOut, ReplaysOut
from webhooks.entrypoints.api.schemas.replays import ReplayIn

REPLAY_OPERATIONS = (
    Operation(
        id="replayDeliveries",
        method="post",
        path=f"{COMMUNITY}/deliveries/replay",
        tag=DELIVERIES,
        summary="Send deliveries again.",
        text="By their ids, at most 100, or by a filter on the log of one webhook. They keep their ids, and "
        "their attempts count on; `rate` of them are sent in a second, the oldest first. Only those that "
        "stand as they did when the replay began are sent, and only those whose payload is kept. With "
        "`dryRun` they are counted, and nothing is sent. 200 where nothing is sent, 202 with the replay "
        "otherwise; its exact repeat finds that replay. 400 where the filter finds more than can be counted. "
        "A community's log is counted once in 2 seconds, after ten counts at once; others get a 429. "
        "409 where its webhook is disabled, paused, or down, for deliveries that are retrying, and for a "
        "community with as many running replays as it may have.",
        parameters=SCOPED,
        signed=True,
        body=ReplayIn,
        bodies=replay_examples.REPLAY_IN,
        status=202,
        response=ReplayOut,
        example=replay_examples.REPLAY,
        other={200: (ReplayCountOut, replay_examples.COUNT)},
        errors=CHANGE,
    ),
    Operation(
        id="fetchReplays",
        method="get",
        path=f"{COMMUNITY}/replays",
        tag=DELIVERIES,
        summary="Fetch replays.",
        text="A community's replays and recoveries, newest first, a page at a time. Each is kept for 30 "
        "days after its last change.",
        parameters=(*SCOPED, "cursor", "size"),
        signed=True,
        response=ReplaysOut,
        example=replay_examples.REPLAYS,
        errors=SIGNED,
    ),
    Operation(
        id="getReplay",
        method="get",
        path=f"{COMMUNITY}/replay/{{replayId}}",
        tag=DELIVERIES,
        summary="Get a replay with its progress.",
        parameters=(*SCOPED, "replayId"),
        signed=True,
        response=ReplayOut,
        example=replay_examples.REPLAY,
        errors=SIGNED,
    ),
    Operation(
        id="cancelReplay",
        method="delete",
        path=f"{COMMUNITY}/replay/{{replayId}}",
        tag=DELIVERIES,
        summary="Cancel a replay.",
        text="It sends no further deliveries; those that wait in the queue are sent, ten seconds' worth at "
        "most. A replay that is over stays as it is. 409 for a recovery.",
        parameters=(*SCOPED, "replayId"),
        signed=True,
        response=ReplayOut,
        example={**replay_examples.REPLAY, "state": "cancelled"},
        errors=(*SIGNED, 409),
    ),
)
