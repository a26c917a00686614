/** The link that `make run` prints: it opens the console ready to use, with keys of the local stack.
 *
 * Only on this machine's own addresses: keys belong in no other link. A hash is never sent to a server. */
import { asApiError } from "./load";
import { parse, replace } from "./router";
import { connect } from "./session";

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/** Connect with `#/connect?ready=…` (base64url of JSON) and take it out of the address. Returns the error's sentence. */
export async function openReadyLink(): Promise<string | undefined> {
  const { path, query } = parse();
  if (path[0] !== "connect" || !query.ready || !LOOPBACK.includes(location.hostname)) return undefined;
  replace("#/webhooks");
  try {
    const bytes = Uint8Array.from(atob(query.ready.replace(/-/g, "+").replace(/_/g, "/")), (each) =>
      each.charCodeAt(0),
    );
    const given = JSON.parse(new TextDecoder().decode(bytes));
    const { keyId, keySecret, license, tenant, community } = given;
    await connect({ keyId, keySecret, license }, { tenant, community });
    return undefined;
  } catch (error) {
    return asApiError(error).message;
  }
}
