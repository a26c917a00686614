/** When a failed load is tried again by itself, and whether the browser has a network. */
import { useEffect, useState } from "preact/hooks";
import type { ApiError } from "../../shared/client";

const FIRST_WAIT = 1; // seconds
const LONGEST_WAIT = 30;
export const LONGEST_TIMER = 0x7fffffff; // ms
const QUIET_MS = 500;
const TRIED_AGAIN = [0, 429, 500, 502, 503, 504];

/** Return the seconds until a failed load is tried again; undefined: it is not. `failures`: in a row, this too. */
export function secondsUntilRetry(error: ApiError, failures: number): number | undefined {
  if (!TRIED_AGAIN.includes(error.status)) return undefined;
  const growing = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failures - 1));
  // A limit says when it ends; any other wait is at least as long as the service asks.
  if (error.status === 429) return Math.max(FIRST_WAIT, error.retryAfter ?? growing);
  return Math.max(growing, error.retryAfter ?? 0);
}

interface Waiting {
  run: () => void;
  at: number;
  /** Of a retry: the failure. A refresh has none. */
  error?: ApiError;
}

const waiting = new Set<Waiting>();

/** Run at a time, not in a hidden tab and not offline: then as soon as that has changed. Returns its end. */
export function later(at: number, run: () => void, error?: ApiError): () => void {
  const entry: Waiting = { run: () => stop() && run(), at, error };
  const due = () => {
    if (!document.hidden && navigator.onLine) entry.run();
  };
  // A wait that is longer than a timer can be would end at once.
  const timer = setTimeout(due, Math.min(LONGEST_TIMER, Math.max(0, at - Date.now())));
  const stop = () => {
    clearTimeout(timer);
    return waiting.delete(entry);
  };
  waiting.add(entry);
  return stop;
}

/** Try each failed load again now. `status`: only those that failed with it. */
export function retryNow(status?: number): void {
  for (const each of [...waiting])
    if (each.error && (status === undefined || each.error.status === status)) each.run();
}

addEventListener("online", () => {
  if (document.hidden) return;
  retryNow();
  runDue();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && navigator.onLine) runDue();
});

function runDue(): void {
  for (const each of [...waiting]) if (each.at <= Date.now()) each.run();
}

let loading = 0;
let countedAt = 0;

/** Count a load in or out. */
export function countLoad(by: 1 | -1): void {
  loading += by;
  countedAt = performance.now();
}

/** Tell whether no load goes on. One that another calls for begins only when that one's result is drawn. */
export const isQuiet = () => loading === 0 && performance.now() - countedAt >= QUIET_MS;

/** Tell whether the browser has a network, and draw again when that changes. */
export function useOnline(): boolean {
  const [isOnline, set] = useState(navigator.onLine);
  useEffect(() => {
    const changed = () => set(navigator.onLine);
    changed();
    addEventListener("online", changed);
    addEventListener("offline", changed);
    return () => {
      removeEventListener("online", changed);
      removeEventListener("offline", changed);
    };
  }, []);
  return isOnline;
}
