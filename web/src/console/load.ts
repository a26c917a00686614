/** Loads for views: the first one, later ones that keep what is shown, and another try when it makes sense. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../shared/client";

export interface Loaded<T> {
  data?: T;
  error?: ApiError;
  isLoading: boolean;
  /** Epoch ms at which the next try begins by itself. */
  retryAt?: number;
  reload: () => void;
}

const TRIED_AGAIN = [0, 429, 500, 502, 503, 504];
const DEFAULT_RETRY_SECONDS = 5;

/** Load when a dependency changes; what was loaded before stays shown meanwhile. `everyMs`: and after that time. */
export function useLoad<T>(
  load: (signal: AbortSignal) => Promise<T>,
  dependencies: readonly unknown[],
  { everyMs }: { everyMs?: number } = {},
): Loaded<T> {
  const [state, set] = useState<Omit<Loaded<T>, "reload">>({ isLoading: true });
  const [round, again] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const reload = useCallback(() => again((count) => count + 1), []);
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    set((before) => ({ ...before, isLoading: true }));
    latest.current(abort.signal).then(
      (data) => {
        if (abort.signal.aborted) return;
        set({ data, isLoading: false });
        if (everyMs) timer = setTimeout(reload, everyMs);
      },
      (failure: unknown) => {
        if (abort.signal.aborted) return;
        const error = asApiError(failure);
        const wait = retrySeconds(error);
        set((before) => ({
          ...before,
          error,
          isLoading: false,
          retryAt: wait === undefined ? undefined : Date.now() + wait * 1000,
        }));
        if (wait !== undefined) timer = setTimeout(reload, wait * 1000);
      },
    );
    const online = () => reload();
    addEventListener("online", online);
    return () => {
      abort.abort();
      clearTimeout(timer);
      removeEventListener("online", online);
    };
  }, [...dependencies, round]);

  return { ...state, reload };
}

/** Return the seconds after which a failed load is tried again by itself; undefined: it is not. */
function retrySeconds(error: ApiError): number | undefined {
  return TRIED_AGAIN.includes(error.status)
    ? Math.max(1, error.retryAfter ?? DEFAULT_RETRY_SECONDS)
    : undefined;
}

/** Nothing that is thrown reaches a person as it is. */
export function asApiError(failure: unknown): ApiError {
  if (failure instanceof ApiError) return failure;
  const message = failure instanceof Error ? failure.message : "";
  return new ApiError(-1, message || "The page failed. Load it again.");
}
