/** The newest counts of a community that a view loaded; the navigation shows them. */
import { useEffect, useState } from "preact/hooks";
import { inScope, onEnd, type Session } from "./session";
import type { CommunityHealth } from "./types";
import { isQuiet } from "./waiting";

const OLD_MS = 60_000;

interface Known {
  client: object;
  path: string;
  counts: CommunityHealth;
  at: number;
}

let known: Known | undefined;
// It would keep the keys in memory.
onEnd(() => {
  known = undefined;
});
const watchers = new Set<() => void>();

const pathOf = (session: Session) => inScope(session.scope, "health");

/** Load the counts. */
export async function loadCounts(session: Session, signal?: AbortSignal): Promise<CommunityHealth> {
  const path = pathOf(session);
  const counts = await session.client.call<CommunityHealth>("GET", path, undefined, signal);
  known = { client: session.client, path, counts, at: Date.now() };
  for (const each of watchers) each();
  return counts;
}

/** Return the counts as far as they are known: a first view asks for nothing more because of them.
 * At another view (`place`) old ones are loaded anew. */
export function useKnownCounts(session: Session, place: string): CommunityHealth | undefined {
  const [, redraw] = useState(0);
  const path = pathOf(session);
  const isOfThis = known?.client === session.client && known.path === path;
  useEffect(() => {
    const changed = () => redraw((count) => count + 1);
    watchers.add(changed);
    return () => {
      watchers.delete(changed);
    };
  }, []);
  useEffect(() => {
    const isOld = isOfThis && known && Date.now() - known.at > OLD_MS;
    // They are an extra: a failure costs nothing.
    if (isOld && isQuiet() && !document.hidden) loadCounts(session).catch(() => undefined);
  }, [place]);
  return isOfThis ? known?.counts : undefined;
}
