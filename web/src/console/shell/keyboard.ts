/** Keys of the whole console: `/` search, `j` `k` rows, `c` create, `g w` `g d` `g e` go, `?` help. Not while typing. */
import { go, link, parse, replace } from "../state/router";

const SEQUENCE_MS = 900;
const PLACES: Record<string, string> = { w: "#/webhooks", d: "#/deliveries", e: "#/explain" };

export function installKeyboard(): void {
  let wentAt = 0;
  document.addEventListener("keydown", (event) => {
    const target = event.target as Element;
    if (event.key === "Escape") {
      if (!document.querySelector("dialog") && parse().query.open) go(link({ open: "" }));
      return;
    }
    if (target.matches?.("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog, .connect")) return;
    if (event.timeStamp - wentAt < SEQUENCE_MS && PLACES[event.key]) return go(PLACES[event.key]!);
    if (event.key === "/") {
      const search = document.querySelector<HTMLInputElement>("[data-search]");
      if (search) {
        event.preventDefault();
        search.focus();
      }
    } else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "c") go("#/webhooks/new");
    else if (event.key === "?") go(link({ dialog: "help" }));
    else if (event.key === "g") wentAt = event.timeStamp;
  });
  // A row is its link, wherever it is clicked.
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    if (target.closest("a, button, input, select, label") || getSelection()?.toString()) return;
    const row = target.closest<HTMLElement>("tr[data-row]");
    if (row) go(row.dataset.row!);
  });
}

/** Go to the next or the previous row; while a delivery is open, open that row's. */
export function move(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>("tr[data-row]")];
  if (!rows.length) return;
  if (parse().query.open) {
    const next = rows[rows.findIndex((row) => row.ariaSelected === "true") + by];
    if (next) replace(next.dataset.row!); // Back closes
    return;
  }
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
  next?.querySelector("a")?.focus();
}
