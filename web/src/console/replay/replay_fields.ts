/** The fields of a replay, the request that they make, and the API's sentences beside them. */

import type { Outcome } from "../state/types";
import { fromIso, fromLocal, toLocal } from "../text/local_time";

export interface ReplayFields {
  webhookId: string;
  outcome: string;
  since: string;
  until: string;
  eventName: string;
  rate: string;
}

export const OUTCOMES: Outcome[] = ["dead", "held", "delivered", "skipped"];
const SINCE_MS = 6 * 3_600_000;
const DEFAULT_RATE = "10";

/** Begin with the filters of the page's address. */
export function fieldsOf(query: Record<string, string>, webhookId: string): ReplayFields {
  const since = fromIso(query.since) ?? Date.now() - SINCE_MS;
  const until = fromIso(query.until);
  return {
    webhookId,
    outcome: OUTCOMES.find((each) => each === query.outcome) ?? "dead",
    since: toLocal(since),
    until: until === undefined ? "" : toLocal(until),
    eventName: query.event ?? "",
    rate: DEFAULT_RATE,
  };
}

/** A number where the field has one; else its text, so that the API says why it is wrong. */
const wholeNumber = (text: string) => (/^\d+$/.test(text.trim()) ? Number(text) : text);

export function bodyOf(fields: ReplayFields): Record<string, unknown> {
  const since = fromLocal(fields.since);
  const until = fromLocal(fields.until);
  return {
    webhookId: fields.webhookId,
    outcome: fields.outcome,
    rate: wholeNumber(fields.rate),
    ...(since !== undefined && { since: new Date(since).toISOString() }),
    // A minute is meant with all its seconds.
    ...(until !== undefined && { until: new Date(until + 59_999).toISOString() }),
    ...(fields.eventName.trim() && { eventName: fields.eventName.trim() }),
  };
}

/** Split "since: must not be later than until; rate: must be …" by field; the rest belongs to none. */
export function problemsOf(message: string): { fields: Partial<ReplayFields>; rest: string } {
  const fields: Partial<ReplayFields> = {};
  const rest: string[] = [];
  const names = ["webhookId", "outcome", "since", "until", "eventName", "rate"] as const;
  for (const part of message.split(/; (?=(?:webhookId|outcome|since|until|eventName|rate): )/)) {
    const name = names.find((each) => part.startsWith(`${each}: `));
    if (name) fields[name] = part.slice(name.length + 2);
    else rest.push(part);
  }
  return { fields, rest: rest.join("; ") };
}
