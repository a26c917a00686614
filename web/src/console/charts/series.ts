/** A webhook's deliveries over time, as charts need them: one value per bucket, without a bucket left out. */

import { durations, PHASES, type Phase } from "../delivery/phases";
import type { Change, Outcome, Series, State } from "../state/types";
import { clock, DAY, duration, HOUR, SECOND } from "../text/format";

export const RANGES = [
  ["1h", "1 h", "Last hour", HOUR],
  ["6h", "6 h", "Last 6 hours", 6 * HOUR],
  ["24h", "24 h", "Last 24 hours", DAY],
  ["7d", "7 d", "Last 7 days", 7 * DAY],
] as const;
export type Range = (typeof RANGES)[number];
export const DEFAULT_RANGE = RANGES[1];
/** The API reads so many deliveries at most. */
const MOST = 1000;
/** Time of an attempt beyond its phases is shown where it is more than this part of the whole. */
const NOTABLE = 0.1;

export const rangeOf = (name: string | undefined): Range =>
  RANGES.find(([each]) => each === name) ?? DEFAULT_RANGE;

export type Values = (number | null)[];

export interface Grid {
  /** Of each bucket's start, epoch ms. */
  starts: number[];
  stepMs: number;
  outcomes: Record<Outcome, number[]>;
  /** Mean ms of a phase; null where no attempt was made. `rest`: beyond them, undefined where that is little. */
  phases: Record<Phase, Values>;
  rest?: Values;
}

const OUTCOMES: Outcome[] = ["delivered", "retrying", "dead", "held", "skipped"];

/** The API leaves out buckets that have no deliveries. */
export function gridOf(series: Series): Grid {
  const stepMs = series.bucketSeconds * SECOND;
  const floor = (time: string) => Math.floor(Date.parse(time) / stepMs) * stepMs;
  const begin = floor(series.since);
  const count = Math.max(1, (floor(series.until) - begin) / stepMs + 1);
  const starts = Array.from({ length: count }, (_, index) => begin + index * stepMs);
  const zeros = () => starts.map(() => 0);
  const nothing = (): Values => starts.map(() => null);
  const grid: Grid = {
    starts,
    stepMs,
    outcomes: { delivered: zeros(), retrying: zeros(), dead: zeros(), held: zeros(), skipped: zeros() },
    phases: { lookup: nothing(), connect: nothing(), tls: nothing(), first: nothing() },
  };
  const rest = nothing();
  let isNotable = false;
  for (const bucket of series.buckets) {
    const at = (floor(bucket.at) - begin) / stepMs;
    if (!(at in starts)) continue;
    for (const outcome of OUTCOMES) grid.outcomes[outcome][at] = bucket[outcome];
    if (typeof bucket.totalMs !== "number") continue;
    const took = durations(bucket);
    let left = bucket.totalMs;
    for (const [phase] of PHASES) {
      grid.phases[phase][at] = took[phase];
      left -= took[phase];
    }
    rest[at] = Math.max(0, left);
    isNotable ||= left > NOTABLE * bucket.totalMs;
  }
  return isNotable ? { ...grid, rest } : grid;
}

export function median(values: Values): number | null {
  const known = values.filter((each) => each !== null).sort((one, other) => one - other);
  return known.length ? known[known.length >> 1]! : null;
}

export const sum = (values: Values) => values.reduce<number>((all, each) => all + (each ?? 0), 0);

/** Say which deliveries a series covers. */
export function coverage(series: Series): string {
  const since = placed(Date.parse(series.since), Date.parse(series.until));
  if (series.deliveries >= MOST) return `The charts cover the last 1,000 deliveries, since ${since}.`;
  const all = series.deliveries === 1 ? "the 1 delivery" : `all ${series.deliveries} deliveries`;
  return `The charts cover ${all} since ${since}. Tests are not counted.`;
}

/** The time of day in the viewer's zone, with the day where it is another than that of `beside`. */
export function placed(at: number, beside: number): string {
  const isNear = new Date(at).toDateString() === new Date(beside).toDateString();
  return isNear ? clock(at) : `${day(at)}, ${clock(at)}`;
}

export const day = (at: number) =>
  new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "short" });

/** "15 s", "5 min": the length of a bucket. */
export const lengthOf = (ms: number) => (ms < 60 * SECOND ? `${ms / SECOND} s` : duration(ms));

export interface Span {
  state: State | "unknown";
  /** Epoch ms. */
  from: number;
  to: number;
  reason: string;
}

/** Changes that the API remembers. */
const KEPT = 20;

/** Return the states between two times, the oldest first. `changes`: newest first; `present`: the state now. */
export function spansOf(changes: Change[], present: State, from: number, to: number): Span[] {
  const spans: Span[] = [];
  let end = to;
  for (const change of changes) {
    const begin = Math.max(from, Date.parse(change.at));
    if (end > begin) spans.unshift({ state: change.state, from: begin, to: end, reason: change.reason });
    end = Math.min(end, begin);
    if (begin <= from) return spans;
  }
  if (end > from) spans.unshift({ state: before(changes, present), from, to: end, reason: "" });
  return spans;
}

/** Return the state before the oldest change; where changes are forgotten, it is not known. */
function before(changes: Change[], present: State): Span["state"] {
  if (changes.length >= KEPT) return "unknown";
  const oldest = changes.at(-1);
  if (!oldest) return present;
  // A webhook begins healthy, unless its tenant made it paused or disabled.
  if (oldest.reason.startsWith("enabled")) return "disabled";
  return oldest.reason.startsWith("resumed") ? "paused" : "healthy";
}
