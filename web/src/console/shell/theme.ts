/** Light, dark, or as the system is set; kept in this browser. */
export type Theme = "auto" | "light" | "dark";

const KEY = "webhooks.theme";

/** None where the browser lets pages store nothing. */
export function storage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

export function theme(): Theme {
  const kept = storage()?.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "auto";
}

export function setTheme(next: Theme): void {
  if (next === "auto") storage()?.removeItem(KEY);
  else storage()?.setItem(KEY, next);
  applyTheme();
}

export function applyTheme(): void {
  const chosen = theme();
  if (chosen === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  dispatchEvent(new Event("themechange"));
}
