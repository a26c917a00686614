import type { Session } from "../session";
import type { Webhook } from "../types";

/** Sends a test event and shows what the endpoint answered. */
export function TestDialog(_: { session: Session; webhook: Webhook; onClose: () => void }) {
  return null;
}
