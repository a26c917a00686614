/** Loads that wait while nothing of the page is seen. */

/** Return at once while the page is visible, else as soon as it is. */
export function whenVisible(signal: AbortSignal): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const seen = () => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", seen);
      resolve();
    };
    document.addEventListener("visibilitychange", seen);
    signal.addEventListener("abort", () => document.removeEventListener("visibilitychange", seen));
  });
}
