/** The delivery strip: the one picture of a webhook. A tick per delivery, the oldest left; above the line its
 * duration (log scale, 10 ms to 5 s), below the line a mark where it was retried, skipped, held or dead. */

import type { Outcome } from "../state/types";
import { plural } from "../text/format";
import { lookOf } from "./ui";

const BELOW = new Map<string, number>([
  ["skipped", 3],
  ["retrying", 4],
  ["held", 7],
  ["dead", 7],
]);
const SHOWN = 100;

/** `deliveries`: newest first, as the API has them. */
export function Strip({ deliveries }: { deliveries: [Outcome, number | null][] }) {
  const paths: Record<string, string> = {};
  const shown = deliveries.slice(0, SHOWN).reverse();
  shown.forEach(([outcome, ms], index) => {
    const x = index * 2 + 0.5;
    const name = outcome === "delivered" ? "okq" : lookOf(outcome).tone;
    const attempted = outcome !== "held" && outcome !== "skipped" && ms !== null;
    const height = attempted ? Math.max(2, Math.round(((Math.log10(Math.max(10, ms)) - 1) / 2.7) * 17)) : 0;
    const up = height ? `M${x} 18v-${Math.min(17, height)}` : "";
    const below = BELOW.get(outcome);
    const down = below ? `M${x} 19v${below}` : "";
    paths[name] = (paths[name] ?? "") + up + down;
  });
  return (
    <svg class="strip" viewBox="0 0 200 26" role="img" aria-label={described(shown)}>
      <path class="s-base" d="M0 18.5h200" />
      {Object.entries(paths).map(([name, path]) => (
        <path key={name} class={`s-${name}`} d={path} />
      ))}
    </svg>
  );
}

function described(deliveries: [Outcome, number | null][]): string {
  if (!deliveries.length) return "No deliveries yet";
  const counts = new Map<Outcome, number>();
  for (const [outcome] of deliveries) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const parts = [...counts].map(([outcome, count]) => `${count} ${outcome}`);
  return `Last ${plural(deliveries.length, "delivery", "deliveries")}: ${parts.join(", ")}`;
}
