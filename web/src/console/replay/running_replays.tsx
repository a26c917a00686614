/** A line on the page for each replay that runs. */
import { useEffect, useRef, useState } from "preact/hooks";
import { toast } from "../parts/toast";
import { Button, Note } from "../parts/ui";
import { nameOf } from "../state/names";
import { link } from "../state/router";
import { inScope, type Session } from "../state/session";
import type { Replay } from "../state/types";
import { number } from "../text/format";
import { dealtWith, progressText, timeLeft } from "./replay_progress";

const LOOK_MS = 3000;
const LATER_MS = 300;
const LOOKED_AT = 10; // replays: as many as can run at once
const listeners = new Set<() => void>();

/** Say that a replay began or ended: the page's lines look again. */
export function announceReplay(): void {
  for (const each of listeners) each();
}

/** The running replays and recoveries of the community. They are looked for after the view is shown. */
export function RunningReplays({ session }: { session: Session }) {
  const running = useRunning(session);
  return (
    <>
      {running.map((each) => (
        <Note
          key={each.replayId}
          icon="retry"
          actions={
            <Button look="sm" href={link({ dialog: "replay", replay: each.replayId })}>
              Open
            </Button>
          }
        >
          <div class="stack">
            <span>
              <b>{each.kind === "recovery" ? "Recovery running." : "Replay running."}</b> {progressText(each)}
              {each.filter && `, ${nameOf(each.filter.webhookId)}`}, {timeLeft(each)}
            </span>
            {each.kind === "replay" && (
              <progress max={Math.max(1, each.total)} value={dealtWith(each)} aria-label="Replay progress" />
            )}
          </div>
        </Note>
      ))}
    </>
  );
}

function useRunning(session: Session): Replay[] {
  const [running, set] = useState<Replay[]>([]);
  const known = useRef<Replay[]>([]);
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      clearTimeout(timer);
      try {
        const path = `${inScope(session.scope, "replays")}?size=${LOOKED_AT}`;
        const { data } = await session.client.call<{ data: Replay[] }>("GET", path, undefined, abort.signal);
        for (const each of known.current) sayEnd(data.find((now) => now.replayId === each.replayId));
        known.current = data.filter((each) => each.state === "running");
        set(known.current);
      } catch {
        if (abort.signal.aborted) return; // a failure leaves the lines as they are
      }
      if (known.current.length) timer = setTimeout(look, LOOK_MS);
    };
    timer = setTimeout(look, LATER_MS);
    listeners.add(look);
    return () => {
      abort.abort();
      clearTimeout(timer);
      listeners.delete(look);
    };
  }, [session]);
  return running;
}

/** The dialog says it itself while it is open. */
function sayEnd(replay: Replay | undefined): void {
  if (!replay || replay.state === "running" || document.querySelector("dialog")) return;
  if (replay.state === "done") toast(`Replay finished: ${number(replay.sent)} sent`);
  else if (replay.state === "stopped") toast(`Replay stopped: ${replay.reason ?? "its endpoint failed"}`);
}
