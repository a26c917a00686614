/** A replay's progress: a bar, numbers, the time left, and how it ended. */
import { useState } from "preact/hooks";
import type { ApiError } from "../../shared/client";
import { Dialog } from "../parts/dialog";
import { toast } from "../parts/toast";
import { Trouble } from "../parts/trouble";
import { Button, Note } from "../parts/ui";
import { asApiError, useLoad } from "../state/load";
import { inScope, type Session } from "../state/session";
import type { Replay } from "../state/types";
import { number, seconds } from "../text/format";
import { announceReplay } from "./running_replays";

const LOOK_MS = 1500;

export function ReplayProgress(props: { session: Session; replayId: string; onClose: () => void }) {
  const { session, replayId, onClose } = props;
  const path = inScope(session.scope, "replay", replayId);
  const [hasEnded, end] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refused, refuse] = useState<ApiError>();
  const { data, error, retryAt, reload } = useLoad(
    async (signal) => {
      const replay = await session.client.call<Replay>("GET", path, undefined, signal);
      end(replay.state !== "running");
      return replay;
    },
    [path],
    { everyMs: hasEnded ? undefined : LOOK_MS },
  );
  const isRunning = data?.state === "running";

  const cancel = async () => {
    setBusy(true);
    try {
      await session.client.call<Replay>("DELETE", path);
      announceReplay();
      reload();
      toast("Replay cancelled. Deliveries that were sent stay sent");
    } catch (failure) {
      refuse(asApiError(failure));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={data?.kind === "recovery" ? "Recovery" : "Replay deliveries"}
      onClose={onClose}
      footer={
        <>
          {isRunning && data.kind === "replay" && (
            <Button look="danger" busy={busy && "Cancelling"} onClick={cancel}>
              Cancel replay
            </Button>
          )}
          <Button look="primary" onClick={onClose}>
            Close
          </Button>
        </>
      }
    >
      {error && !data && <Trouble error={error} retryAt={retryAt} onRetry={reload} title={titleOf(error)} />}
      {!error && !data && <p class="meta">Loading</p>}
      {data && <Progress replay={data} />}
      {refused && (
        <Note tone="bad" icon="tri">
          <b>It was not cancelled.</b> {refused.message}
        </Note>
      )}
      {error && data && (
        <Note tone="warn" icon="clock">
          {error.message} The numbers are the last ones known.
        </Note>
      )}
      {isRunning && (
        <p class="meta">
          {data.kind === "recovery"
            ? "The service began it, as the endpoint responds again. To stop it, pause the webhook."
            : "You can close this dialog. The replay goes on, and the page shows its progress."}
        </p>
      )}
    </Dialog>
  );
}

const titleOf = (error: ApiError) => (error.status === 404 ? "Replay not found" : undefined);

/** Deliveries that are dealt with, of all. */
export const dealtWith = (replay: Replay) =>
  Math.min(replay.total, replay.sent + replay.withoutPayload + (replay.passedOver ?? 0));

export const progressText = (replay: Replay) =>
  replay.kind === "recovery"
    ? `${number(replay.sent)} sent`
    : `${number(replay.sent)} of ${number(replay.total)} sent`;

export function timeLeft(replay: Replay): string {
  if (replay.kind === "recovery") return `${number(replay.rate)} per second at most`;
  const left = replay.total - dealtWith(replay);
  return `about ${seconds(Math.max(1, Math.ceil(left / replay.rate)))} left`;
}

function Progress({ replay }: { replay: Replay }) {
  const isRunning = replay.state === "running";
  return (
    <>
      <div class="row">
        <b>{progressText(replay)}</b>
        <span class="meta push">{isRunning ? timeLeft(replay) : endedAt(replay)}</span>
      </div>
      <progress
        max={Math.max(1, replay.total)}
        value={replay.state === "done" ? Math.max(1, replay.total) : dealtWith(replay)}
        aria-label="Replay progress"
      />
      <dl class="figs">
        <div>
          <dt>Sent</dt>
          <dd>{number(replay.sent)}</dd>
        </div>
        <div>
          <dt>No payload</dt>
          <dd>
            {number(replay.withoutPayload)}
            {replay.withoutPayload > 0 && <small>cannot be sent</small>}
          </dd>
        </div>
        {!isRunning && (
          <div>
            <dt>Passed over</dt>
            <dd>
              {number(replay.passedOver ?? 0)}
              {Boolean(replay.passedOver) && <small>changed meanwhile</small>}
            </dd>
          </div>
        )}
      </dl>
      <div role="status">
        <Ended replay={replay} />
      </div>
    </>
  );
}

const ENDED = { done: "finished", cancelled: "cancelled", stopped: "stopped", running: "" };

const endedAt = (replay: Replay) => ENDED[replay.state];

function Ended({ replay }: { replay: Replay }) {
  if (replay.state === "done")
    return (
      <Note tone="ok" icon="ok">
        <b>Finished.</b> The endpoint's answers are in the list of deliveries.
      </Note>
    );
  if (replay.state === "cancelled")
    return (
      <Note icon="x">
        <b>Cancelled.</b> Deliveries that were sent stay sent.
      </Note>
    );
  if (replay.state === "stopped")
    return (
      <Note tone="bad" icon="tri">
        <b>Stopped{replay.reason ? `: ${replay.reason}` : ""}.</b> Deliveries that were sent stay sent.
      </Note>
    );
  return null;
}
