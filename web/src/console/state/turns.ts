/** Requests for many rows: for those that are seen, a few at a time, and one again where the service is busy. */
import { ApiError } from "../../shared/client";
import { later, secondsUntilRetry } from "./waiting";

const AT_ONCE = 3;
const TRIES = 4;

const queue: (() => void)[] = [];
let running = 0;

function next(): void {
  while (running < AT_ONCE && queue.length) {
    running += 1;
    queue.shift()!();
  }
}

function wait(error: ApiError, seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stop = later(Date.now() + seconds * 1000, resolve, error);
    signal.addEventListener("abort", () => {
      stop();
      resolve();
    });
  });
}

/** Run a request when its turn comes. Rejects as it does, when `signal` ends, and after four tries. */
export async function inTurn<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T> {
  await new Promise<void>((turn) => {
    queue.push(turn);
    next();
  });
  try {
    for (let failures = 1; ; failures += 1) {
      signal.throwIfAborted();
      try {
        return await request();
      } catch (failure) {
        const seconds = failure instanceof ApiError ? secondsUntilRetry(failure, failures) : undefined;
        if (seconds === undefined || failures === TRIES) throw failure;
        await wait(failure as ApiError, seconds, signal);
      }
    }
  } finally {
    running -= 1;
    next();
  }
}

const runs = new WeakMap<Element, () => void>();
// One for all: Chromium calls several observers in no order, but gives the rows of one from the top.
const observer = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    observer.unobserve(target);
    runs.get(target)?.();
  }
});

/** Run once when an element comes into view. Returns its end. */
export function whenSeen(element: Element, run: () => void): () => void {
  runs.set(element, run);
  observer.observe(element);
  return () => observer.unobserve(element);
}
