/** Numbers and times as a person reads them. */

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const number = (value: number) => value.toLocaleString("en");

/** "231 ms", "4.8 s", "1 h 49 min", of milliseconds. */
export function duration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return `${(Math.floor(ms / 100) / 10).toFixed(ms < 10 * SECOND ? 1 : 0)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return two(Math.floor(ms / HOUR), "h", Math.floor((ms % HOUR) / MINUTE), "min");
  return two(Math.floor(ms / DAY), "d", Math.floor((ms % DAY) / HOUR), "h");
}

/** "1 min 48 s", of whole seconds. */
export function seconds(count: number): string {
  return count < 60 ? `${count} s` : two(Math.floor(count / 60), "min", count % 60, "s");
}

const two = (much: number, unit: string, rest: number, small: string) =>
  rest ? `${much} ${unit} ${rest} ${small}` : `${much} ${unit}`;

/** "31 s ago", "in 2 min". `fine`: two units. */
export function ago(at: number, { fine = false, now = Date.now() } = {}): string {
  const past = now - at;
  if (past < -SECOND) return `in ${duration(-past)}`;
  if (past < 2 * SECOND) return "just now";
  if (past < MINUTE) return `${Math.floor(past / SECOND)} s ago`;
  if (fine && past < HOUR) return `${seconds(Math.floor(past / SECOND))} ago`;
  if (fine && past < DAY) return `${duration(past)} ago`;
  if (past < HOUR) return `${Math.floor(past / MINUTE)} min ago`;
  if (past < DAY) return `${Math.floor(past / HOUR)} h ago`;
  return `${Math.floor(past / DAY)} d ago`;
}

/** "2026-01-15 09:30:00.250 UTC" */
export const utc = (at: number) => (Number.isNaN(at) ? "no time" : isoUtc(at));

const isoUtc = (at: number) => new Date(at).toISOString().replace("T", " ").replace("Z", " UTC");

/** "09:30" in the viewer's zone, with seconds on wish. */
export const clock = (at: number, withSeconds = false) =>
  Number.isNaN(at) ? "–" : new Date(at).toTimeString().slice(0, withSeconds ? 8 : 5);

export const milliseconds = (ms: number | undefined | null) =>
  ms === undefined || ms === null ? "–" : duration(ms);

export const plural = (count: number, one: string, many = `${one}s`) =>
  `${number(count)} ${count === 1 ? one : many}`;

/** Added to the seconds in an id since webhooks' logs have shards, until 2038; no webhook is older than FIRST. */
const SHARDED = 0x8000_0000;
const FIRST = 0x6000_0000;

/** A webhook's id begins with the second of its creation. Returns epoch ms. */
export const createdAt = (webhookId: string) => {
  const seconds = Number.parseInt(webhookId.slice(0, 8), 16);
  return (seconds < SHARDED + FIRST ? seconds : seconds - SHARDED) * SECOND;
};

export function host(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
