/** Pages of deliveries, newest first, and the newest page again and again while it is followed. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../../../shared/client";
import { asApiError, type Loaded, useLoad } from "../../state/load";
import { inScope, type Session } from "../../state/session";
import type { Delivery, DeliveryPage } from "../../state/types";
import { LONGEST_TIMER } from "../../state/waiting";
import { bodyOf, type Filter, keyOf } from "./delivery_filter";

const PAGE = 50;
const TAIL_PAGE = 60;
const TAIL_MS = 2000;
const TAIL_AFTER_ERROR_MS = 5000;

/** The pages that were loaded: `cursor` and `body` ask for the next one. */
interface Pages {
  key: string;
  body: Record<string, unknown>;
  rows: Delivery[];
  cursor?: string;
}

export interface DeliveryList {
  pages?: Pages;
  /** Whether `pages` are those of the filter: while others load, the ones before stay. */
  isCurrent: boolean;
  first: Pick<Loaded<unknown>, "error" | "retryAt" | "isLoading" | "reload">;
  older: () => void;
  isOlderLoading: boolean;
  olderError?: ApiError;
  /** Deliveries that came with the last look at the newest page. */
  fresh: ReadonlySet<string>;
  /** Deliveries that came since the list is followed. */
  arrived: number;
  tailError?: ApiError;
}

const NONE: ReadonlySet<string> = new Set();

/** `isTailing`: look at the newest page every two seconds, and keep no more than it. */
export function useDeliveries(session: Session, filter: Filter, isTailing: boolean): DeliveryList {
  const key = keyOf(filter);
  const path = filter.webhook
    ? inScope(session.scope, "webhook", filter.webhook, "deliveries", "fetch")
    : inScope(session.scope, "deliveries", "fetch");
  const ask = useCallback(
    (body: Record<string, unknown>, signal?: AbortSignal) =>
      session.client.call<DeliveryPage>("POST", path, body, signal),
    [session, path],
  );
  const [pages, setPages] = useState<Pages>();
  const [isOlderLoading, setOlderLoading] = useState(false);
  const [olderError, setOlderError] = useState<ApiError>();
  const first = useLoad(
    async (signal) => {
      const body = bodyOf(filter);
      const page = await ask({ ...body, size: PAGE }, signal);
      setPages({ key, body, rows: page.data, cursor: page.cursor });
      setOlderError(undefined);
    },
    [key, path],
  );
  const older = async () => {
    if (!pages?.cursor || isOlderLoading) return;
    setOlderLoading(true);
    setOlderError(undefined);
    try {
      const page = await ask({ ...pages.body, cursor: pages.cursor, size: PAGE });
      // Other pages may have come meanwhile: these do not follow them.
      setPages((now) =>
        now?.cursor === pages.cursor && now?.key === pages.key
          ? { ...now, rows: joined(now.rows, page.data), cursor: page.cursor }
          : now,
      );
    } catch (failure) {
      setOlderError(asApiError(failure));
    } finally {
      setOlderLoading(false);
    }
  };
  const tail = useTail(isTailing && pages?.key === key, key, async (signal) => {
    const body = bodyOf(filter);
    const page = await ask({ ...body, size: TAIL_PAGE }, signal);
    const known = new Set(pages?.rows.map((each) => each.deliveryId));
    const fresh = page.data.map((each) => each.deliveryId).filter((id) => !known.has(id));
    setPages({ key, body, rows: page.data, cursor: page.cursor });
    return fresh;
  });
  return {
    pages,
    isCurrent: pages?.key === key,
    first,
    older,
    isOlderLoading,
    olderError,
    ...tail,
  };
}

/** A delivery is on one page only, but its outcome can bring it on the next one again. */
function joined(rows: Delivery[], next: Delivery[]): Delivery[] {
  const known = new Set(rows.map((each) => each.deliveryId));
  return [...rows, ...next.filter((each) => !known.has(each.deliveryId))];
}

type Tail = Pick<DeliveryList, "fresh" | "arrived" | "tailError">;

/** `look` gets the newest page and returns the ids that are new. Nothing is asked while the tab is hidden. */
function useTail(isOn: boolean, key: string, look: (signal: AbortSignal) => Promise<string[]>): Tail {
  const [tail, set] = useState<Tail>({ fresh: NONE, arrived: 0 });
  const latest = useRef(look);
  latest.current = look;
  useEffect(() => {
    if (!isOn) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const round = async () => {
      let wait = TAIL_MS;
      try {
        if (!document.hidden) {
          const fresh = await latest.current(abort.signal);
          set((before) => ({ fresh: new Set(fresh), arrived: before.arrived + fresh.length }));
        }
      } catch (failure) {
        if (abort.signal.aborted) return;
        const tailError = asApiError(failure);
        wait = Math.min(
          LONGEST_TIMER,
          tailError.retryAfter ? tailError.retryAfter * 1000 : TAIL_AFTER_ERROR_MS,
        );
        set((before) => ({ ...before, fresh: NONE, tailError }));
      }
      if (!abort.signal.aborted) timer = setTimeout(round, wait);
    };
    timer = setTimeout(round, TAIL_MS);
    return () => {
      abort.abort();
      clearTimeout(timer);
      set((before) => ({ ...before, fresh: NONE, tailError: undefined }));
    };
  }, [isOn, key]);
  return tail;
}
