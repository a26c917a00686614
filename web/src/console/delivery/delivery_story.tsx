/** The story of a delivery in two sentences: its last step, and the next one. */
import type { ComponentChildren } from "preact";
import { Countdown } from "../parts/ui";
import type { Attempt, Delivery } from "../state/types";
import { duration } from "../text/format";

const PHRASES: Record<number, string> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  301: "Moved Permanently",
  302: "Found",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

const PAUSED = "the webhook is paused"; // the service's reason

/** "503 Service Unavailable" */
export const statusLine = (status: number) => `${status} ${PHRASES[status] ?? ""}`.trim();

/** "No answer in 5.0 s", "Connection refused": why an attempt got no response, in a few words. */
export function noAnswer(attempt: Pick<Attempt, "reason" | "latencyMs">): string {
  const [, kind = "", detail = ""] = /^([a-z]+): (.*)$/s.exec(attempt.reason ?? "") ?? [];
  if (kind === "deadline") return `No answer in ${duration(attempt.latencyMs)}`;
  if (kind === "connect") return detail || "No connection";
  if (kind === "dns") return "Host name not found";
  if (kind === "tls") return detail.startsWith("certificate") ? "Certificate refused" : "TLS failed";
  if (kind === "reset") return "Connection ended";
  if (kind === "malformed") return "The answer is not HTTP";
  if (kind === "oauth") return "No access token";
  if (kind === "refused") return `Not sent: ${detail}`;
  return attempt.reason || "No answer";
}

/** The last answer in a word or two. */
export function answered(delivery: Delivery): string {
  const last = delivery.attempts.at(-1);
  if (last) return last.status ? String(last.status) : noAnswer(last);
  if (delivery.outcome === "held")
    return delivery.reason === PAUSED ? "Webhook is paused" : "Endpoint is down";
  if (delivery.reason) return sentence(delivery.reason, "");
  return "–";
}

/** Whether the endpoint took it at this attempt, as far as the log tells. */
export function isTaken(delivery: Delivery, attempt: Attempt): boolean {
  if (attempt === delivery.attempts.at(-1)) return delivery.outcome === "delivered";
  const isSuccess = Boolean(attempt.status && attempt.status < 300 && !attempt.response);
  return isSuccess && delivery.mark === "replay";
}

export interface Story {
  happened: string;
  follows?: ComponentChildren;
}

export function storyOf(delivery: Delivery): Story {
  const last = delivery.attempts.at(-1);
  switch (delivery.outcome) {
    case "delivered":
      return { happened: delivered(delivery, last) };
    case "retrying":
      return {
        happened: last ? answer(last) : "It is sent again.",
        follows: <NextAttempt delivery={delivery} />,
      };
    case "dead":
      return {
        happened: dead(delivery, last),
        follows: delivery.recoverable
          ? "It is sent once more when the endpoint responds again."
          : "No retry follows.",
      };
    case "held":
      return held(delivery);
    case "skipped":
      return { happened: skipped(delivery.reason) };
    default:
      return { happened: sentence(delivery.reason ?? `The delivery is ${delivery.outcome}`) };
  }
}

function delivered({ attemptCount }: Delivery, last?: Attempt): string {
  if (!last?.status) return "Delivered.";
  return `Delivered at attempt ${attemptCount}: the endpoint answered ${last.status} in ${duration(last.latencyMs)}.`;
}

function answer(last: Attempt): string {
  if (!last.status) return sentence(noAnswer(last));
  const led = last.location ? ` with a redirect to ${last.location}` : "";
  return `The endpoint answered ${last.status}${led}.`;
}

function NextAttempt({ delivery }: { delivery: Delivery }) {
  if (!delivery.nextAttemptAt) return <>Another attempt follows.</>;
  const at = Date.parse(delivery.nextAttemptAt);
  if (!(at > Date.now())) return <>Attempt {delivery.attemptCount + 1} follows now.</>;
  return (
    <>
      Attempt {delivery.attemptCount + 1} follows in <Countdown until={at} />.
    </>
  );
}

/** The service's reasons are for its log: "HTTP 503 at the last of 3 attempts". */
function dead({ reason = "" }: Delivery, last?: Attempt): string {
  const exhausted = / at the last of (\d+) attempts$/.exec(reason);
  if (exhausted && last) {
    const said = last.status ? `The endpoint answered ${last.status}` : noAnswer(last);
    const count = Number(exhausted[1]);
    return count === 1 ? `${said} at its only attempt.` : `${said} at the last of ${count} attempts.`;
  }
  if (reason.endsWith(", not a retry code") && last)
    return last.status
      ? `The endpoint answered ${last.status}, which is no success code and not in retryCodes.`
      : `${noAnswer(last)}, and retryCodes has no 0.`;
  if (reason.startsWith("endpoint gone"))
    return "The endpoint answered 410 (gone), so its webhook was disabled.";
  if (reason.endsWith(" to a probe") && last)
    return last.status ? `The endpoint answered ${last.status} to a probe.` : `${noAnswer(last)} at a probe.`;
  return sentence(reason || "The delivery is dead");
}

function held({ reason = "", attemptCount }: Delivery): Story {
  const none = attemptCount ? "no further attempt was made" : "no attempt was made";
  if (reason === PAUSED)
    return {
      happened: `The webhook is paused, so ${none}.`,
      follows: "It is sent when the webhook is resumed.",
    };
  return {
    happened: `The webhook's endpoint is down, so ${none}.`,
    follows: "It is sent, the oldest first, when a probe succeeds.",
  };
}

function skipped(reason = "webhook disabled"): string {
  if (reason === "webhook deleted") return "The webhook was deleted before the delivery was sent.";
  const why = reason === "webhook disabled" ? "" : ` (${reason})`;
  return `The webhook was disabled${why} before the delivery was sent.`;
}

function sentence(text: string, end = "."): string {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : end);
}
