/** Keys in the tab's session storage, encrypted with a passphrase: PBKDF2 and AES-GCM of the browser.
 *
 * Nothing of it is readable without the passphrase, and closing the tab ends it. */
import { BASE } from "../../shared/client";
import { base64, type Credentials, unbase64 } from "../../shared/protocol";
import type { Scope } from "./session";

// Of this deployment: another one on the same host gets no request with these keys.
const ITEM = `webhooks.keys ${BASE.pathname}`;
const ITERATIONS = 600_000; // OWASP's least for PBKDF2 with SHA-256
const SALT_BYTES = 16;
const IV_BYTES = 12;
const NOTHING = "Nothing is remembered in this tab.";
export const WRONG_PASSPHRASE = "The passphrase is wrong.";

export interface Remembered {
  who: Credentials;
  scope: Scope;
}

interface Stored {
  iterations: number;
  salt: string;
  iv: string;
  sealed: string;
}

/** The key that a passphrase gave: it stays here, so that another community is remembered without asking again. */
let held: { key: CryptoKey; salt: string; iterations: number; content: Remembered } | undefined;

function stored(): Stored | undefined {
  try {
    const found = JSON.parse(sessionStorage.getItem(ITEM) ?? "null");
    const isWhole = found && ["salt", "iv", "sealed"].every((name) => typeof found[name] === "string");
    return isWhole && typeof found.iterations === "number" ? found : undefined;
  } catch {
    return undefined; // no storage in this browser, or not ours
  }
}

export const isRemembered = () => stored() !== undefined;

export function forget(): void {
  held = undefined;
  try {
    sessionStorage.removeItem(ITEM);
  } catch {
    // no storage: nothing is kept
  }
}

async function derive(passphrase: string, salt: string, iterations: number): Promise<CryptoKey> {
  const bytes = new TextEncoder().encode(passphrase.normalize("NFKC"));
  const base = await crypto.subtle.importKey("raw", bytes, "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: unbase64(salt), iterations };
  return crypto.subtle.deriveKey(how, base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

async function write(): Promise<void> {
  const mine = held;
  if (!mine) return;
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const text = new TextEncoder().encode(JSON.stringify(mine.content));
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, mine.key, text));
  const { salt, iterations } = mine;
  const made: Stored = { iterations, salt, iv: base64(iv), sealed: base64(sealed) };
  if (held !== mine) return; // forgotten, or changed once more
  sessionStorage.setItem(ITEM, JSON.stringify(made));
}

/** Throws Error with a sentence where the browser keeps nothing. */
export async function remember(passphrase: string, content: Remembered): Promise<void> {
  const salt = base64(crypto.getRandomValues(new Uint8Array(SALT_BYTES)));
  held = { key: await derive(passphrase, salt, ITERATIONS), salt, iterations: ITERATIONS, content };
  try {
    await write();
  } catch {
    held = undefined;
    throw new Error("This browser does not let the page store anything: the keys are not remembered.");
  }
}

/** Remember another community with the keys that are remembered. */
export async function rememberScope(scope: Scope): Promise<void> {
  if (!held) return;
  held = { ...held, content: { ...held.content, scope } };
  await write().catch(() => undefined); // then the one before stays remembered
}

/** Return the remembered keys. Throws Error with a sentence where the passphrase is wrong. */
export async function recall(passphrase: string): Promise<Remembered> {
  const found = stored();
  if (!found) throw new Error(NOTHING);
  let opened: NonNullable<typeof held>;
  try {
    const { salt, iterations } = found;
    const key = await derive(passphrase, salt, iterations);
    const iv = unbase64(found.iv);
    const bytes = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, unbase64(found.sealed));
    const content: Remembered = JSON.parse(new TextDecoder().decode(bytes));
    opened = { key, salt, iterations, content };
  } catch {
    throw new Error(WRONG_PASSPHRASE);
  }
  if (!isRemembered()) throw new Error(NOTHING); // forgotten meanwhile
  held = opened;
  return held.content;
}
