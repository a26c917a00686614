/** A view that keeps up: it loads again by itself while it can be seen. */
import { useEffect, useRef } from "preact/hooks";

export const REFRESH_MS = 30_000;

/** Call `refresh` every 30 s; in a hidden tab not before it is seen again. It waits while it is not active. */
export function useRefresh(refresh: () => void, isActive: boolean): void {
  const latest = useRef(refresh);
  latest.current = refresh;
  useEffect(() => {
    if (!isActive) return;
    const due = Date.now() + REFRESH_MS;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wait = () => {
      clearTimeout(timer);
      if (!document.hidden) timer = setTimeout(() => latest.current(), Math.max(0, due - Date.now()));
    };
    wait();
    document.addEventListener("visibilitychange", wait);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", wait);
    };
  }, [isActive]);
}
