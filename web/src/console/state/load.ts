/** Loads for views: the first one, later ones that keep the shown data, and another try when it makes sense. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../../shared/client";
import { useSession } from "./session";
import { countLoad, later, retryNow, secondsUntilRetry } from "./waiting";

export interface Loaded<T> {
  data?: T;
  /** Of the last try; `data` is then of one before, perhaps of other dependencies. */
  error?: ApiError;
  isLoading: boolean;
  /** Epoch ms at which the next try begins by itself. */
  retryAt?: number;
  /** Epoch ms at which `data` came. */
  at?: number;
  reload: () => void;
}

interface Past {
  tried?: readonly unknown[];
  /** In a row. */
  failures: number;
  status?: number;
}

/** Load when a dependency changes; the data of before stays shown meanwhile. `everyMs`: and after that time,
 * while the tab is seen. A person who connects again loads again. */
export function useLoad<T>(
  load: (signal: AbortSignal) => Promise<T>,
  dependencies: readonly unknown[],
  { everyMs }: { everyMs?: number } = {},
): Loaded<T> {
  const client = useSession()?.client;
  const [state, set] = useState<Omit<Loaded<T>, "reload">>({ isLoading: true });
  const [round, again] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  // Goes on from one try to the next: the dependencies it is of, and how it failed.
  const past = useRef<Past>({ failures: 0 });
  const reload = useCallback(() => again((count) => count + 1), []);
  useEffect(() => {
    const abort = new AbortController();
    let stop: () => unknown = () => undefined;
    const before = past.current;
    if (!isSame(before.tried, dependencies)) before.failures = 0;
    before.tried = dependencies;
    const loaded = (data: T) => {
      const hadNoNetwork = before.status === 0;
      past.current = { tried: dependencies, failures: 0 };
      set({ data, at: Date.now(), isLoading: false });
      if (everyMs) stop = later(Date.now() + everyMs, reload);
      if (hadNoNetwork) retryNow(0); // the others need not wait longer
    };
    const failed = (failure: unknown) => {
      const error = asApiError(failure);
      before.failures += 1;
      before.status = error.status;
      const wait = secondsUntilRetry(error, before.failures);
      const retryAt = wait === undefined ? undefined : Date.now() + wait * 1000;
      set(({ data, at }) => ({ data, at, error, isLoading: false, retryAt }));
      if (retryAt !== undefined) stop = later(retryAt, reload, error);
    };
    set((shown) => ({ ...shown, isLoading: true }));
    countLoad(1);
    (async () => latest.current(abort.signal))()
      .then(
        (data) => {
          if (!abort.signal.aborted) loaded(data);
        },
        (failure: unknown) => {
          if (!abort.signal.aborted) failed(failure);
        },
      )
      .finally(() => countLoad(-1));
    return () => {
      abort.abort();
      stop();
    };
  }, [...dependencies, round, client]);

  return { ...state, reload };
}

const isSame = (one: readonly unknown[] | undefined, other: readonly unknown[]) =>
  one?.length === other.length && one.every((each, at) => Object.is(each, other[at]));

/** Nothing that is thrown reaches a person as it is: only sentences that this page or the service wrote. */
export function asApiError(failure: unknown): ApiError {
  if (failure instanceof ApiError) return failure;
  // The engine's own errors (TypeError, DOMException) are of other classes.
  const isOurs = failure instanceof Error && failure.constructor === Error && failure.message;
  const sentence = isOurs ? failure.message : "This page failed, not the service. Load it again.";
  return new ApiError(-1, sentence.charAt(0).toUpperCase() + sentence.slice(1));
}
