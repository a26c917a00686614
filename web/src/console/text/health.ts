/** The health of an endpoint in sentences. */

import type { Change, Health, ShownWebhook, State } from "../state/types";
import { duration, MINUTE, number, SECOND, seconds } from "./format";

/** The API counts no further. */
const COUNTED = 10_000;
const DOWN: State[] = ["failing", "held"];

export const counted = (count: number) => (count >= COUNTED ? `${number(COUNTED)} or more` : number(count));

export const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** Write a reason of the API as a sentence, and the space after it. */
export const sentence = (text: string) => (text ? `${capital(text)}${/[.!?]$/.test(text) ? "" : "."} ` : "");

const WORDS: Record<State, string> = {
  healthy: "Healthy",
  slow: "Slow",
  failing: "Failing",
  held: "Held",
  paused: "Paused",
  disabled: "Disabled",
};

/** A state's word; that of a newer service is its name. */
const wordOf = (state: string) => (Object.hasOwn(WORDS, state) ? WORDS[state as State] : capital(state));

/** "Failing for 1 h 49 min." */
export function standing(health: Health, now = Date.now()): string {
  const since = health.since && Date.parse(health.since);
  return `${wordOf(health.state)}${since ? ` ${lasting(Math.max(0, now - since))}` : ""}.`;
}

/** In whole seconds: a state is a matter of minutes. */
function lasting(ms: number): string {
  if (ms < 2 * SECOND) return "since just now";
  return `for ${ms < MINUTE ? seconds(Math.floor(ms / SECOND)) : duration(ms)}`;
}

/** Return the reason of a webhook's state, and its consequence. */
export function consequence(webhook: ShownWebhook): string {
  const { health } = webhook;
  const why = sentence(reasonOf(webhook));
  const recovered = health.recoverable
    ? ` ${counted(health.recoverable)} dead ${health.recoverable === 1 ? "delivery is" : "deliveries are"} sent once more then.`
    : "";
  if (health.state === "failing")
    return `${why}New deliveries are still sent, and probes go on until an attempt succeeds.${recovered}`;
  if (health.state === "held")
    return `${why}New deliveries are held, so no attempt is used up. Probes go on, and the first one that succeeds sends the held deliveries.${recovered}`;
  if (health.state === "paused") return "New deliveries are held, and sent when it is resumed.";
  if (health.state === "disabled") return `${why}Events skip it.`;
  if (health.state === "slow")
    return `${why}Its deliveries take the slow lane until three quick attempts in a row.`;
  return figures(health);
}

function figures({ deliveries, successRate }: Health): string {
  if (!deliveries.count) return "It has no deliveries yet.";
  const { count } = deliveries;
  const last = count === 1 ? "last delivery" : `last ${count} deliveries`;
  if (successRate === undefined) return `Nothing was attempted of its ${last}.`;
  if (count === 1) return `Its last delivery was ${successRate === 100 ? "" : "not "}delivered.`;
  const part = successRate === 100 ? "all that were attempted" : `${successRate} % of the attempted ones`;
  return `Of its ${last}, ${part} were delivered.`;
}

function reasonOf({ disabledReason, health }: ShownWebhook): string {
  if (health.state === "disabled" && disabledReason) return disabledReason;
  const change = health.changes.find((each) => each.state === health.state);
  return change?.reason ?? (DOWN.includes(health.state) ? (health.lastFailure?.reason ?? "") : "");
}

/** Write a change as one line. `before`: the older ones, newest first. */
export function changeText(change: Change, before: Change[]): string {
  const { state, reason } = change;
  if (/ by its tenant$/.test(reason)) return capital(reason);
  const began = downSince(before);
  if (!DOWN.includes(state) && began !== undefined)
    return `Recovered after ${duration(Date.parse(change.at) - began)}: ${reason}`;
  return `${wordOf(state)}: ${reason}`;
}

/** Return when the outage began that the newest of the changes belongs to, epoch ms. */
function downSince(changes: Change[]): number | undefined {
  let began: number | undefined;
  for (const each of changes) {
    if (!DOWN.includes(each.state)) break;
    began = Date.parse(each.at);
  }
  return began;
}
