/** The link that `make run` prints: it opens the console ready to use, with keys of the local stack.
 *
 * Only on this machine's own addresses: keys belong in no other link. A hash is never sent to a server. */
import { asApiError } from "./load";
import { parse, replace } from "./router";
import { askWith, open } from "./session";

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
const ELSEWHERE = "A link with keys works on this machine only. All who saw it have the keys: make others.";
const DAMAGED = "The link is not whole: copy it again, to its end.";

/** Connect with `#/connect?ready=…` (base64url of JSON) and take it out of the address. */
export async function openReadyLink(): Promise<void> {
  const { path, query } = parse();
  if (path[0] !== "connect" || !query.ready) return;
  const text = query.ready;
  replace("#/webhooks");
  let asked = { keyId: "", tenant: "", community: "" };
  try {
    if (!LOOPBACK.includes(location.hostname)) throw new Error(ELSEWHERE);
    const { keyId, keySecret, license, tenant, community } = read(text);
    asked = { keyId, tenant, community };
    await open({ keyId, keySecret, license }, { tenant, community });
  } catch (failure) {
    askWith({ ...asked, error: asApiError(failure).message });
  }
}

/** A link that is opened in a tab that has the console already changes only the address. */
export function watchReadyLinks(): void {
  addEventListener("hashchange", () => {
    openReadyLink();
  });
}

function read(text: string): Record<"keyId" | "keySecret" | "license" | "tenant" | "community", string> {
  try {
    const bytes = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) =>
      each.charCodeAt(0),
    );
    const given = JSON.parse(new TextDecoder().decode(bytes));
    for (const name of ["keyId", "keySecret", "license", "tenant", "community"])
      if (typeof given[name] !== "string") throw new Error(DAMAGED);
    return given;
  } catch {
    throw new Error(DAMAGED);
  }
}
