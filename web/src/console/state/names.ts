/** Names of webhooks that were loaded: every view that loads webhooks adds to them. In memory only. */
import { useEffect, useState } from "preact/hooks";
import { remember } from "./catalogue";
import { inScope, type Session, session } from "./session";
import type { ShownWebhook, Webhook } from "./types";

const AT_ONCE = 5;
const SEVERAL = 2;
const FRESH_MS = 30_000;

interface Known {
  names: Map<string, string>;
  /** By path. */
  asked: Map<string, { at: number; webhook: Promise<ShownWebhook | undefined> }>;
}

// By client: keys that are forgotten take it with them.
const known = new WeakMap<object, Known>();
const listeners = new Set<() => void>();

function knownOf(client: object): Known {
  const found = known.get(client) ?? { names: new Map(), asked: new Map() };
  known.set(client, found);
  return found;
}

export function learn(webhooks: readonly Pick<Webhook, "_id" | "name">[]): void {
  const client = session()?.client;
  if (client) for (const each of webhooks) knownOf(client).names.set(each._id, each.name);
  for (const each of listeners) each();
}

/** Return a webhook's name, or its id where the name is not known (yet). */
export function nameOf(webhookId: string): string {
  const client = session()?.client;
  return (client && knownOf(client).names.get(webhookId)) ?? webhookId;
}

/** Return a webhook, at most 30 s old; undefined where it cannot be loaded, as it was deleted. */
export function webhookOf(session: Session, webhookId: string): Promise<ShownWebhook | undefined> {
  const path = inScope(session.scope, "webhook", webhookId);
  const { asked } = knownOf(session.client);
  const before = asked.get(path);
  if (before && before.at > Date.now() - FRESH_MS) return before.webhook;
  const webhook = session.client.call<ShownWebhook>("GET", path).then(
    (found) => {
      remember([found]);
      return found;
    },
    () => undefined,
  );
  asked.set(path, { at: Date.now(), webhook });
  return webhook;
}

/** Learn the names of webhooks that are shown, after they are: a few at a time. Draws again as they come.
 *
 * `several`: loads many webhooks in one request; it is called first where several names are missing. */
export function useNames(
  session: Session,
  webhookIds: readonly string[],
  several?: () => Promise<void>,
): (webhookId: string) => string {
  const [, redraw] = useState(0);
  useEffect(() => {
    const changed = () => redraw((count) => count + 1);
    listeners.add(changed);
    return () => {
      listeners.delete(changed);
    };
  }, []);
  const { names } = knownOf(session.client);
  const unknown = [...new Set(webhookIds)].filter((id) => !names.has(id));
  useEffect(() => {
    let isOver = false;
    const work = async (left: string[]) => {
      for (let id = left.shift(); id && !isOver; id = left.shift()) await webhookOf(session, id);
    };
    const begin = async () => {
      if (unknown.length > SEVERAL) await several?.();
      const left = unknown.filter((id) => !names.has(id));
      for (let worker = 0; worker < Math.min(AT_ONCE, left.length); worker += 1) work(left);
    };
    begin();
    return () => {
      isOver = true;
    };
  }, [unknown.join()]);
  return nameOf;
}
