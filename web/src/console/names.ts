/** Names of webhooks that were loaded: every view that loads webhooks adds to them. In memory only. */
import { useEffect, useState } from "preact/hooks";
import { inScope, type Session } from "./session";
import type { ShownWebhook, Webhook } from "./types";

const AT_ONCE = 5;
const names = new Map<string, string>();
const asked = new Map<string, Promise<ShownWebhook | undefined>>();
const listeners = new Set<() => void>();

export function learn(webhooks: readonly Pick<Webhook, "_id" | "name">[]): void {
  for (const each of webhooks) names.set(each._id, each.name);
  for (const each of listeners) each();
}

/** Return a webhook's name, or its id where the name is not known (yet). */
export const nameOf = (webhookId: string): string => names.get(webhookId) ?? webhookId;

/** Load a webhook once; undefined where it cannot be loaded, as it was deleted. `again`: not the one known. */
export function webhookOf(
  session: Session,
  webhookId: string,
  again = false,
): Promise<ShownWebhook | undefined> {
  const path = inScope(session.scope, "webhook", webhookId);
  const known = asked.get(path);
  if (known && !again) return known;
  const loading = session.client.call<ShownWebhook>("GET", path).then(
    (webhook) => {
      learn([webhook]);
      return webhook;
    },
    () => {
      asked.delete(path);
      return undefined;
    },
  );
  asked.set(path, loading);
  return loading;
}

/** Learn the names of webhooks that are shown, after they are: a few at a time. Draws again as they come. */
export function useNames(session: Session, webhookIds: readonly string[]): (webhookId: string) => string {
  const [, redraw] = useState(0);
  useEffect(() => {
    const changed = () => redraw((count) => count + 1);
    listeners.add(changed);
    return () => {
      listeners.delete(changed);
    };
  }, []);
  const unknown = [...new Set(webhookIds)].filter((id) => !names.has(id));
  useEffect(() => {
    let isOver = false;
    const left = unknown.slice();
    const work = async () => {
      for (let id = left.shift(); id && !isOver; id = left.shift()) await webhookOf(session, id);
    };
    for (let worker = 0; worker < Math.min(AT_ONCE, unknown.length); worker += 1) work();
    return () => {
      isOver = true;
    };
  }, [unknown.join()]);
  return nameOf;
}
