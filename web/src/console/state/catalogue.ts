/** Event names, as far as they are known: of the webhooks that were loaded, and of the samples. */
import { useEffect, useState } from "preact/hooks";
import { learn } from "./names";
import { samplesFor } from "./samples";
import { inScope, type Scope, type Session, session } from "./session";
import type { Webhook, WebhookPage } from "./types";

export const PAGE_SIZE = 100;

/** The part of a webhook that names the events it listens to. */
export interface Listener {
  id: string;
  name: string;
  eventNames: string[];
  disabled: boolean;
  paused: boolean;
  criteria: "ANY" | "ALL";
  /** How many objects its query has. */
  groups: number;
  fields: string[];
}

/** An event name with the webhooks that list it. */
export interface Listened {
  name: string;
  listeners: Listener[];
  /** The fields that their filters use. */
  fields: string[];
}

// By client: keys that are forgotten take it with them. Then by community.
const known = new WeakMap<object, Map<string, Map<string, Listener>>>();
const watchers = new Set<() => void>();
const asked = new WeakMap<object, Map<string, Promise<void>>>();

/** Remember webhooks that a view loaded: forms offer their event names. */
export function remember(webhooks: Webhook[]): void {
  const client = session()?.client;
  if (!client || !webhooks.length) return;
  learn(webhooks);
  const communities = known.get(client) ?? new Map<string, Map<string, Listener>>();
  known.set(client, communities);
  for (const each of webhooks) {
    const name = `${each.tenantId}/${each.communityId}`;
    const listeners = communities.get(name) ?? new Map<string, Listener>();
    communities.set(name, listeners.set(each._id, listenerOf(each)));
  }
  for (const each of watchers) each();
}

/** Return a webhook that was loaded in this session. */
export const knownListener = ({ client, scope }: Session, id: string): Listener | undefined =>
  known.get(client)?.get(nameOf(scope))?.get(id);

export function listenerOf(webhook: Webhook): Listener {
  const query = webhook.query ?? [];
  return {
    id: webhook._id,
    name: webhook.name,
    eventNames: webhook.eventNames,
    disabled: webhook.disabled,
    paused: Boolean(webhook.paused),
    criteria: webhook.criteria ?? "ANY",
    groups: query.length,
    fields: query.flatMap(Object.keys),
  };
}

/** Return the names that webhooks listen to, sorted. */
export function listenedBy(listeners: Iterable<Listener>): Listened[] {
  const found = new Map<string, Listener[]>();
  for (const each of listeners)
    for (const name of new Set(each.eventNames)) {
      const listeners = found.get(name) ?? [];
      listeners.push(each);
      found.set(name, listeners);
    }
  return [...found]
    .map(([name, all]) => ({
      name,
      listeners: all,
      fields: [...new Set(all.flatMap((each) => each.fields))].sort(),
    }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Load a page of the community's webhooks, and remember them. */
export async function loadPage(of: Session, index: number, signal?: AbortSignal): Promise<WebhookPage> {
  const path = inScope(of.scope, "webhooks", "fetch");
  const body = { pIndex: index, pSize: PAGE_SIZE };
  const page = await of.client.call<WebhookPage>("POST", path, body, signal);
  remember(page.data);
  return page;
}

/** Draw again when webhooks were loaded. Where none was, the newest are asked for, once. */
export function useCatalogue(of: Session): void {
  const [, redraw] = useState(0);
  const place = nameOf(of.scope);
  useEffect(() => {
    const changed = () => redraw((count) => count + 1);
    watchers.add(changed);
    if (!known.get(of.client)?.has(place)) askOnce(of);
    return () => {
      watchers.delete(changed);
    };
  }, [of.client, place]);
}

/** Return the event names that are known. */
export function useEventNames(of: Session): string[] {
  useCatalogue(of);
  const place = nameOf(of.scope);
  const names = new Set(samplesFor(of.scope).map((each) => each.name));
  for (const each of known.get(of.client)?.get(place)?.values() ?? [])
    for (const name of each.eventNames) names.add(name);
  return [...names].sort();
}

/** Load the newest webhooks of a community once; names are an offer: a failure costs nothing. */
export function askOnce(of: Session): Promise<void> {
  const places = asked.get(of.client) ?? new Map<string, Promise<void>>();
  const place = nameOf(of.scope);
  const loading =
    places.get(place) ??
    loadPage(of, 0).then(
      () => undefined,
      () => {
        places.delete(place);
      },
    );
  asked.set(of.client, places.set(place, loading));
  return loading;
}

const nameOf = (scope: Scope) => `${scope.tenant}/${scope.community}`;

/** Return the name that was meant, as far as letters tell: the closest one within a few changes. */
export function closest(name: string, names: readonly string[]): string | undefined {
  const most = Math.max(2, Math.floor(name.length / 4));
  let best: { name: string; distance: number } | undefined;
  for (const each of names) {
    if (each === name || Math.abs(each.length - name.length) > most) continue;
    const distance = changes(name.toLowerCase(), each.toLowerCase());
    if (distance <= most && (!best || distance < best.distance)) best = { name: each, distance };
  }
  return best?.name;
}

/** Return how many letters are added, taken away, replaced or swapped with the next one. */
function changes(one: string, other: string): number {
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const isSame = one[i - 1] === other[j - 1];
      let least = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1])
        least = Math.min(least, before[j - 2]! + 1);
      next.push(least);
    }
    before = row;
    row = next;
  }
  return row[other.length]!;
}
