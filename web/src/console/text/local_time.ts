/** Values of `<input type="datetime-local">`: in the viewer's zone, without one. */

const MINUTE_DIGITS = 16;

/** "2026-07-15T10:30", of epoch ms. */
export function toLocal(at: number): string {
  // The offset is the one of that time, not of now: summer time changes it.
  const offset = new Date(at).getTimezoneOffset() * 60_000;
  return new Date(at - offset).toISOString().slice(0, MINUTE_DIGITS);
}

/** Return the epoch ms of a local value; undefined where it is empty or none. */
export function fromLocal(value: string): number | undefined {
  const at = value ? new Date(value).getTime() : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** Return a time of an address, ISO 8601, in epoch ms. */
export function fromIso(text: string | undefined): number | undefined {
  const at = text ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
