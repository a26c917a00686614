/** Who uses the console, and which community is shown. In memory: a reload forgets it. */
import { useEffect, useState } from "preact/hooks";
import { Client } from "../../shared/client";
import type { Credentials } from "../../shared/protocol";
import { forget, rememberScope } from "./kept_keys";
import { address, go, parse } from "./router";
import type { Level, WebhookPage } from "./types";

export const APP_ID = "console";
export const FIRST_PAGE = { pSize: 25 };

export interface Scope {
  tenant: string;
  community: string;
}

export interface Session {
  client: Client;
  scope: Scope;
  /** Known once an unscoped system license was tried. */
  level?: Level;
}

/** The content that the connect page begins with: never a private key or a license. */
export interface Asked extends Scope {
  keyId: string;
  /** Why it asks. */
  error?: string;
}

let current: Session | undefined;
let asked: Asked | undefined;
let firstPage: { of: Session; page: WebhookPage } | undefined;
const listeners = new Set<() => void>();
const endings = new Set<(isForgotten: boolean) => void>();

/** Run when other keys, another community or nothing takes over, so that nothing of the one before stays.
 * `isForgotten`: the keys were forgotten. */
export function onEnd(run: (isForgotten: boolean) => void): void {
  endings.add(run);
}

export const session = () => current;

export function change(next: Session | undefined): void {
  const before = current;
  current = next;
  if (!(before && next && before.client === next.client && sameScope(before.scope, next.scope)))
    for (const each of endings) each(!next);
  asked = undefined;
  for (const each of listeners) each();
}

/** Tell the level of the present license. The session stays the same one: views keep their knowledge of it. */
export function setLevel(level: Level): void {
  if (current) current.level = level;
  for (const each of listeners) each();
}

/** Take keys, and ask nothing yet. Throws Error with a sentence where the pair is wrong, ApiError without a service. */
export async function open(who: Credentials, scope: Scope): Promise<Session> {
  const made = { client: await Client.of(who, APP_ID), scope };
  change(made);
  return made;
}

/** Connect, and try the keys with the first page of webhooks; `keep` remembers or forgets them in the tab.
 *
 * Throws as `open`, and ApiError where they are refused. */
export async function connect(
  who: Credentials,
  scope: Scope,
  keep: () => void | Promise<void>,
): Promise<Session> {
  const made = { client: await Client.of(who, APP_ID), scope };
  const page = await made.client.call<WebhookPage>("POST", inScope(scope, "webhooks", "fetch"), FIRST_PAGE);
  await keep();
  firstPage = { of: made, page };
  change(made);
  return made;
}

/** Return the page of webhooks that came when this session connected; once, so that it is never an old one. */
export function takeFirstPage(of: Session): WebhookPage | undefined {
  const found = firstPage?.of.client === of.client && sameScope(firstPage.of.scope, of.scope);
  const page = found ? firstPage?.page : undefined;
  firstPage = undefined;
  return page;
}

const sameScope = (one: Scope, other: Scope) =>
  one.tenant === other.tenant && one.community === other.community;

/** Ask for keys again: the service refuses these. The view stays behind the question, with all that was typed in it. */
export function askAgain(): void {
  asked = current
    ? { ...current.scope, keyId: current.client.keyId }
    : { tenant: "", community: "", keyId: "" };
  firstPage = undefined;
  for (const each of listeners) each();
}

/** Ask for keys where others were given that could not be used. */
export function askWith(given: Asked): void {
  current = undefined;
  asked = given;
  for (const each of listeners) each();
}

/** Return the content that the connect page begins with; undefined: no keys are asked for. */
export const whatIsAsked = () => asked;

/** Forget everything: in memory, and in the tab. */
export function forgetKeys(): void {
  forget();
  firstPage = undefined;
  change(undefined);
  go("#/connect");
}

/** Show another community, in a view of the same kind. */
export function switchTo(scope: Scope, view = parse().path[0]): void {
  if (!current) return;
  firstPage = undefined;
  // Address and community in one step: the view of before must not ask the other community for its webhook.
  history.pushState(null, "", address([view ?? "webhooks"]));
  // A form with unsaved changes asks first.
  if (!dispatchEvent(new HashChangeEvent("hashchange", { cancelable: true }))) return;
  change({ ...current, scope });
  rememberScope(scope);
}

export function useSession(): Session | undefined {
  const [, redraw] = useState(0);
  useEffect(() => {
    const changed = () => redraw((count) => count + 1);
    listeners.add(changed);
    return () => {
      listeners.delete(changed);
    };
  }, []);
  return current;
}

/** Return the path of a community's resource: `inScope(scope, "webhook", id)`. */
export function inScope(scope: Scope, ...parts: string[]): string {
  return ["tenant", scope.tenant, "community", scope.community, ...parts].map(encodeURIComponent).join("/");
}
