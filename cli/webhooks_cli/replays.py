"""Replays as the API shows them: their text, and the wait for their end."""

from typing import Any

from webhooks_cli.community import Community, in_path
from webhooks_cli.context import CliContext
from webhooks_cli.errors import OK, InterruptedByUser, RefusedError, UnreachableError
from webhooks_cli.progress_bar import ProgressBar
from webhooks_cli.result import Result

Replay = dict[str, Any]

RUNNING = "running"
ENDED_WELL = "done"
WAIT_SECONDS = 1.0
FAULTS_MAX = 30  # requests in a row that may fail while a replay is waited for


def wait_for(replay: Replay, community: Community, *, context: CliContext) -> Replay:
    """Ask until the replay is over; return its end. Ctrl-C says how to go on, and leaves it running.

    Raises CliError; a fault of the other side only where it lasts for FAULTS_MAX requests.
    """
    faults = 0
    try:
        with ProgressBar(context.stderr, "deliveries") as bar:
            while replay["state"] == RUNNING:
                bar.show(handled(replay), replay["total"])
                context.sleep(WAIT_SECONDS)
                try:
                    replay = community.get(f"replay/{in_path(replay['replayId'])}")
                    faults = 0
                except UnreachableError:
                    faults += 1
                    if faults == FAULTS_MAX:
                        raise
    except KeyboardInterrupt:
        id_ = replay["replayId"]
        raise InterruptedByUser(
            f"the replay goes on alone: `webhooks deliveries replays {id_} --wait` waits again, "
            f"`webhooks deliveries cancel {id_}` ends it"
        ) from None
    return replay


def handled(replay: Replay) -> int:
    """Return how many of its deliveries are done with, sent or not."""
    return int(replay["sent"] + replay["withoutPayload"] + replay["passedOver"])


def replay_result(replay: Replay) -> Result:
    """Return a replay as a command's result; its exit code is 1 where it ended early."""
    early = replay["state"] not in (RUNNING, ENDED_WELL)
    return Result(
        document=replay, shown=replay_block(replay), exit_code=RefusedError.exit_code if early else OK
    )


def replay_block(replay: Replay) -> str:
    lines = [
        f"replay     {replay['replayId']} ({replay['kind']})",
        f"state      {replay['state']}{reason(replay)}",
        f"sent       {replay['sent']} of {replay['total']}, {replay['rate']} a second",
    ]
    if replay["withoutPayload"]:
        lines.append(f"not sent   {replay['withoutPayload']}: their payload is not kept")
    if replay["passedOver"]:
        lines.append(f"passed     {replay['passedOver']}: delivered or changed meanwhile")
    lines += [
        f"begun      {replay['createdAt']} by {replay['createdBy']}",
        f"updated    {replay['updatedAt']}",
    ]
    if replay["state"] == RUNNING:
        lines.append(f"see it     webhooks deliveries replays {replay['replayId']} --wait")
    return "\n".join(lines)


def reason(replay: Replay) -> str:
    return f": {replay['reason']}" if replay.get("reason") else ""
