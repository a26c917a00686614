/** A delivery's request as a command for a shell. */
import type { Attempt, Delivery, Webhook } from "../state/types";

const LEFT_OUT = "[left out]";

/** A plain word stays as it is. */
const quoted = (text: string) => (/^[A-Z]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`);

/** `payload`: the exact text, undefined where it is not kept. */
export function curl(
  delivery: Delivery,
  { attempt, payload, webhook }: { attempt?: Attempt; payload?: string; webhook?: Webhook },
): string {
  const headers: Record<string, string> = attempt?.requestHeaders ?? {
    "Content-Type": "application/json",
    "webhook-id": delivery.deliveryId,
  };
  const comments = ["# Signatures and credentials are left out: an endpoint that checks them refuses this."];
  if (payload === undefined) comments.push("# The payload is not kept, so the body is empty.");
  if (!webhook) comments.push("# The webhook cannot be read: put its URL in.");
  const lines = [
    // Without --globoff curl makes several requests of an address with braces or brackets.
    `curl --globoff --request ${quoted(webhook?.api.type ?? "POST")} ${quoted(webhook?.api.url ?? "https://…")}`,
    ...Object.entries(headers)
      .filter(([, value]) => value !== LEFT_OUT)
      .map(([name, value]) => `--header ${quoted(`${name}: ${value}`)}`),
  ];
  if (payload !== undefined) lines.push(`--data-raw ${quoted(payload)}`);
  return `${comments.join("\n")}\n${lines.join(" \\\n  ")}\n`;
}
