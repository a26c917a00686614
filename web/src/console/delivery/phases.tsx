/** The phases of an attempt, in their colours: lookup, connect, TLS, first byte. */

import type { Times } from "../state/types";
import { duration, milliseconds } from "../text/format";

export const PHASES = [
  ["lookup", "Lookup", "lookupMs"],
  ["connect", "Connect", "connectMs"],
  ["tls", "TLS", "tlsMs"],
  ["first", "First byte", "firstByteMs"],
] as const;

export type Phase = (typeof PHASES)[number][0];

/** Return how long each phase took, in ms. The API says when each ended; 0: there was none, as with a kept connection. */
export function durations(times: Times): Record<Phase, number> {
  const result = { lookup: 0, connect: 0, tls: 0, first: 0 };
  let before = 0;
  for (const [name, , field] of PHASES) {
    const end = times[field] ?? 0;
    if (end <= before) continue;
    result[name] = end - before;
    before = end;
  }
  return result;
}

const WIDTH = 1000;
const SMALLEST = 3;
const BETWEEN = 1.5;

/** The names of the phases with their colours, and with an attempt's times where one is given. */
export function PhaseKey({ times }: { times?: Times }) {
  const took = times && durations(times);
  return (
    <ul class="legend">
      {PHASES.map(([name, word]) => (
        <li key={name}>
          <svg viewBox="0 0 10 10" aria-hidden="true">
            <rect class={`f-${name}`} width="10" height="10" />
          </svg>
          {word}
          {took && (
            <>
              {" "}
              <b>{milliseconds(took[name] || null)}</b>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

/** One bar of an attempt's phases; `of`: the milliseconds of the whole width. `total`: where there are no phases. */
export function PhaseBar({ times, total, of }: { times?: Times; total: number; of: number }) {
  const scale = WIDTH / Math.max(1, of);
  let x = 0;
  const parts = [];
  const said = [];
  const took = times && durations(times);
  for (const [name, word] of PHASES) {
    const ms = took?.[name];
    if (!ms) continue;
    const width = Math.max(SMALLEST, ms * scale);
    parts.push(
      <rect key={name} class={`f-${name}`} x={x} y="3" width={Math.max(0, width - BETWEEN)} height="10" />,
    );
    said.push(`${word} ${duration(ms)}`);
    x += width;
  }
  // The wait for a phase that did not come.
  const rest = total * scale - x;
  if (!times?.firstByteMs && rest > 0) {
    parts.push(<rect key="rest" class="f-off" x={x} y="3" width={Math.max(SMALLEST, rest)} height="10" />);
    if (said.length) said.push(`then nothing for ${duration(rest / scale)}`);
  }
  return (
    <svg
      class="b"
      viewBox={`0 0 ${WIDTH} 16`}
      preserveAspectRatio="none"
      role="img"
      aria-label={said.join(", ") || `In all ${duration(total)}`}
    >
      <path class="s-base" d={`M0 8h${WIDTH}`} />
      {parts}
    </svg>
  );
}
