import type { Session } from "../session";

/** After a creation: the signing secret, and a test event as the next step. */
export function CreatedDialog(_: { session: Session; webhookId: string; onClose: () => void }) {
  return null;
}
