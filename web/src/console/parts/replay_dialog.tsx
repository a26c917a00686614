import type { Session } from "../session";

/** Counts, then sends deliveries again. `webhookId`: chosen already. */
export function ReplayDialog(_: { session: Session; webhookId?: string; onClose: () => void }) {
  return null;
}

/** The running replays of the community, a line each with its progress. */
export function RunningReplays(_: { session: Session }) {
  return null;
}
