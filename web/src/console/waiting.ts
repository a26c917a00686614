/** When a failed load is tried again by itself, and what the page knows of its connection meanwhile. */
import { useEffect, useState } from "preact/hooks";
import type { ApiError } from "../shared/client";

const FIRST_WAIT = 1; // seconds
const LONGEST_WAIT = 30;
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
  /** Of a retry: what failed. A refresh has none. */
  error?: ApiError;
}

const waiting = new Set<Waiting>();

/** Run at a time, not in a hidden tab and not offline: then as soon as that has changed. Returns what stops it. */
export function later(at: number, run: () => void, error?: ApiError): () => void {
  const entry: Waiting = { run: () => stop() && run(), at, error };
  const due = () => {
    if (!document.hidden && navigator.onLine) entry.run();
  };
  const timer = setTimeout(due, Math.max(0, at - Date.now()));
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

/** A view that shows what was loaded before, as the load after it failed. */
export interface Stale {
  /** Epoch ms at which the shown data came. */
  since: number;
  error: ApiError;
  retryAt: number;
}

const stale = new Map<object, Stale>();
const listeners = new Set<() => void>();
let loading = 0;
let countedAt = 0;
let loadedAt: number | undefined;

function changed(): void {
  for (const each of listeners) each();
}

/** Tell that a load's shown data is old; undefined: no longer. `owner` is the load. */
export function setStale(owner: object, what: Stale | undefined): void {
  if (!what && !stale.has(owner)) return;
  if (what) stale.set(owner, what);
  else stale.delete(owner);
  changed();
}

/** Count a load in or out: `isQuiet` tells whether any goes on. */
export function countLoad(by: 1 | -1): void {
  loading += by;
  countedAt = performance.now();
}

// A load that another one calls for begins only when that one's result is drawn.
export const isQuiet = () => loading === 0 && performance.now() - countedAt >= QUIET_MS;

/** Tell that a load got its answer. */
export function answered(): void {
  loadedAt = Date.now();
}

export interface Connection {
  isOnline: boolean;
  /** The oldest data that is shown and could not be loaded again. */
  stale?: Stale;
  /** Epoch ms of the last answer. */
  loadedAt?: number;
}

function connection(): Connection {
  const oldest = [...stale.values()].sort((a, b) => a.since - b.since)[0];
  return { isOnline: navigator.onLine, stale: oldest, loadedAt };
}

export function useConnection(): Connection {
  const [, redraw] = useState(0);
  useEffect(() => {
    const again = () => redraw((count) => count + 1);
    listeners.add(again);
    addEventListener("online", again);
    addEventListener("offline", again);
    return () => {
      listeners.delete(again);
      removeEventListener("online", again);
      removeEventListener("offline", again);
    };
  }, []);
  return connection();
}
