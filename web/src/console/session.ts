/** Who uses the console, and which community is shown. In memory: a reload forgets it. */
import { useEffect, useState } from "preact/hooks";
import { Client } from "../shared/client";
import type { Credentials } from "../shared/wire";
import type { Level } from "./types";

export const APP_ID = "console";

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

let current: Session | undefined;
const listeners = new Set<() => void>();

export const session = () => current;

export function change(next: Session | undefined): void {
  current = next;
  for (const each of listeners) each();
}

/** Throws Error with a sentence where the pair is wrong, ApiError where the service does not answer. */
export async function connect(who: Credentials, scope: Scope): Promise<Session> {
  const made = { client: await Client.of(who, APP_ID), scope };
  change(made);
  return made;
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
