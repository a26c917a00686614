/** Finds out whether the license is a system one for every community: the API lists communities to no other. */
import { useEffect } from "preact/hooks";
import { ApiError } from "../../shared/client";
import { pagePath } from "../shell/scope_dialog";
import { type Session, session, setLevel } from "./session";
import { isQuiet } from "./waiting";

const LOOK_AGAIN_MS = 100;
// Safari has no idle callback.
const whenIdle = globalThis.requestIdleCallback ?? ((run: () => void) => setTimeout(run, LOOK_AGAIN_MS));

/** Ask once, when the first view is drawn; where no answer came, at the next view (`place`). */
export function useLevel(of: Session | undefined, place: string): void {
  const client = of?.client;
  const isKnown = Boolean(of?.level);
  useEffect(() => {
    if (!client || isKnown) return;
    let isOver = false;
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      if (isOver) return;
      if (!isQuiet() || document.hidden) {
        timer = setTimeout(ask, LOOK_AGAIN_MS);
        return;
      }
      const level = await client.call("GET", pagePath(undefined, 1)).then(
        () => "system" as const,
        (error) => (error instanceof ApiError && error.status === 403 ? ("service" as const) : undefined),
      );
      const now = session();
      if (level && now?.client === client) setLevel(level);
    };
    whenIdle(ask);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [client, isKnown, place]);
}
