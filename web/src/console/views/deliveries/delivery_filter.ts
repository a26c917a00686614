/** The filter of a list of deliveries, as the address has it. */

import type { Outcome } from "../../state/types";
import { DAY, HOUR } from "../../text/format";
import { fromIso } from "../../text/local_time";

export interface Filter {
  /** A webhook's id; "" for all of them, of which only the undelivered are listed. */
  webhook: string;
  outcome: string;
  event: string;
  /** One of SPANS, "range", or "" for any. */
  time: string;
  /** Epoch ms, of a range. */
  since?: number;
  until?: number;
}

const SPANS: Record<string, number> = { "1h": HOUR, "24h": DAY, "7d": 7 * DAY };

export const TIMES: [string, string][] = [
  ["", "Any time"],
  ["1h", "Last hour"],
  ["24h", "Last 24 hours"],
  ["7d", "Last 7 days"],
  ["range", "From … to …"],
];

export const UNDELIVERED: Outcome[] = ["retrying", "dead", "held"];
export const ALL: Outcome[] = ["delivered", "retrying", "dead", "held", "skipped"];

export function filterOf(query: Record<string, string>): Filter {
  const since = fromIso(query.since);
  const until = fromIso(query.until);
  const isRange = since !== undefined || until !== undefined || query.time === "range";
  return {
    webhook: query.webhook ?? "",
    outcome: query.outcome ?? "",
    event: query.event ?? "",
    time: isRange ? "range" : query.time && query.time in SPANS ? query.time : "",
    since,
    until,
  };
}

/** The name of a filter: lists with the same one are the same list. */
export const keyOf = (filter: Filter) => JSON.stringify(filter);

/** The body of the request for a page; its times are fixed, so that the next pages belong to the first. */
export function bodyOf(filter: Filter, now = Date.now()): Record<string, unknown> {
  const span = SPANS[filter.time];
  const since = span ? now - span : filter.since;
  return {
    ...(filter.outcome && { outcome: filter.outcome }),
    ...(filter.event && { eventName: filter.event }),
    ...(since !== undefined && { since: new Date(since).toISOString() }),
    ...(filter.until !== undefined && { until: new Date(filter.until).toISOString() }),
  };
}

export const isFiltered = (filter: Filter) => Boolean(filter.outcome || filter.event || filter.time);

/** "in the last hour", for a sentence; "" for any time. */
export function timeText({ time }: Filter): string {
  if (time === "range") return "in this time";
  const text = TIMES.find(([value]) => value === time)?.[1] ?? "";
  return time ? `in the ${text.toLowerCase()}` : "";
}
