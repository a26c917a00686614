/** Texts that a person typed, while they look at another view. In memory, gone with the keys. */
import type { Session } from "./session";

interface Drafts {
  /** The event in Explain; `isAsked`: explain it when the view opens. */
  explain?: { text: string; isAsked?: boolean };
  publish?: Publication;
}

export interface Publication {
  /** The name for which the dialog was opened. */
  of: string;
  name: string;
  data: string;
  eventId: string;
}

const kept = new WeakMap<object, Map<string, Drafts>>();

export function draftsOf({ client, scope }: Session): Drafts {
  const ofClient = kept.get(client) ?? new Map<string, Drafts>();
  kept.set(client, ofClient);
  const name = `${scope.tenant}/${scope.community}`;
  const drafts = ofClient.get(name) ?? {};
  ofClient.set(name, drafts);
  return drafts;
}
