import type { Session } from "./session";

/** Return the event names that are known: of the webhooks that were loaded, and of the samples. */
export function useEventNames(_: Session): string[] {
  return [];
}
