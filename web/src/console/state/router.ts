/** Addresses: every view and state is the page's hash, `#/deliveries?outcome=dead&open=…`. */
import { useEffect, useState } from "preact/hooks";

export interface Route {
  path: string[];
  query: Record<string, string>;
}

export function parse(hash = location.hash): Route {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  return {
    path: path.split("/").filter(Boolean).map(decode),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function address(path: string[], query: Record<string, string | undefined> = {}): string {
  const given = Object.entries(query).filter((each): each is [string, string] => Boolean(each[1]));
  const search = new URLSearchParams(given).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${search ? `?${search}` : ""}`;
}

/** Return the present address with some of its query changed; "" takes a name away. A dialog is not kept. */
export function link(change: Record<string, string | undefined>): string {
  const { path, query } = parse();
  const { dialog: _, ...kept } = query;
  return address(path, { ...kept, ...change });
}

export function go(hash: string): void {
  location.hash = hash;
}

/** Change the address without a step of the browser's history: for typed texts. */
export function replace(hash: string): void {
  history.replaceState(null, "", hash);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

export function useRoute(): Route {
  const [route, set] = useState(parse);
  useEffect(() => {
    const changed = () => set(parse());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}

let guard: ((event: HashChangeEvent) => void) | undefined;
// The first listener of all, so that a guard can stop the event before a view changes.
addEventListener("hashchange", (event) => guard?.(event));

/** Ask before the address changes the view: `next` may stop the event. Returns a function that ends that. */
export function guardAddress(next: (event: HashChangeEvent) => void): () => void {
  guard = next;
  return () => {
    if (guard === next) guard = undefined;
  };
}
