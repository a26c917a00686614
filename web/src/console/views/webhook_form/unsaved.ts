/** Typed text, while its page is away: for another connection, or another webhook. In memory, and given out once. */
import { onEnd, type Scope } from "../../state/session";
import type { Values } from "./model";

interface Draft {
  values: Values;
  /** The webhook as it was loaded; absent for a new one. */
  stored?: string;
}

let kept: { place: string; draft: Draft } | undefined;
onEnd((isForgotten) => isForgotten && dropDraft());

const placeOf = (scope: Scope, id: string) => JSON.stringify([scope.tenant, scope.community, id]);

export function keepDraft(scope: Scope, id: string, draft: Draft): void {
  kept = { place: placeOf(scope, id), draft };
}

export function takeDraft(scope: Scope, id: string): Draft | undefined {
  const found = kept?.place === placeOf(scope, id) ? kept.draft : undefined;
  kept = undefined;
  return found;
}

export function dropDraft(): void {
  kept = undefined;
}
