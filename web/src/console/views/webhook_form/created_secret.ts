/** The signing secret of a webhook that was just created: in memory, until its dialog closes. */
import { onEnd } from "../../state/session";

let kept: { id: string; secret: string } | undefined;
onEnd(forgetCreatedSecret);

export function keepCreatedSecret(id: string, secret: string): void {
  kept = { id, secret };
}

export const createdSecret = (id: string) => (kept?.id === id ? kept.secret : undefined);

export function forgetCreatedSecret(): void {
  kept = undefined;
}
