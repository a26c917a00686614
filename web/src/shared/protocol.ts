/** The API's protocol, where the keys are: in the browser. Envelopes, and the three headers of a request. */
import { secp256k1 } from "@noble/curves/secp256k1.js";

export type Curve = "secp256k1" | "prime256v1";
type Bytes = Uint8Array<ArrayBuffer>;

export interface KeyPair {
  /** Public key: X and Y, 64 bytes, base64. */
  keyId: string;
  /** Private key: the scalar, base64. It never leaves this page. */
  keySecret: string;
}

export interface Credentials extends KeyPair {
  license: string;
}

const IV_BYTES = 16;
const TAG_BYTES = 16;
const SCALAR_BYTES = 32;
const P256 = { name: "ECDH", namedCurve: "P-256" };
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function base64(bytes: Uint8Array): string {
  let text = "";
  // By chunks: a call with 100,000 arguments fails.
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

/** Throws Error with a sentence where the text is no base64. */
export function unbase64(text: string, what = "the text"): Bytes {
  const trimmed = text.trim();
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(trimmed) || !trimmed)
    throw new Error(`${what} is not base64`);
  return Uint8Array.from(atob(trimmed), (each) => each.charCodeAt(0));
}

/** Read a private key as clients write it: 1 to 32 bytes, or 33 with a leading zero. */
function scalar(text: string): Bytes {
  const raw = unbase64(text, "the private key");
  if (raw.length > SCALAR_BYTES + 1 || (raw.length > SCALAR_BYTES && raw[0]))
    throw new Error("the private key should have at most 32 bytes");
  const tail = raw.length > SCALAR_BYTES ? raw.subarray(1) : raw;
  const out = new Uint8Array(SCALAR_BYTES);
  out.set(tail, SCALAR_BYTES - tail.length);
  return out;
}

function point(text: string): Bytes {
  const raw = unbase64(text, "the public key");
  if (raw.length !== 64) throw new Error("the public key should have 64 bytes: X and Y");
  const out = new Uint8Array(65);
  out[0] = 4;
  out.set(raw, 1);
  return out;
}

/** Tell the curve on which a service's public key lies. */
export function curveOf(publicKey: string): Curve {
  try {
    secp256k1.Point.fromBytes(point(publicKey));
    return "secp256k1";
  } catch {
    return "prime256v1";
  }
}

const base64url = (bytes: Uint8Array) =>
  base64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** P-256 is WebCrypto's, which wants the public half beside the private one. */
async function p256Key(pair: KeyPair, usage: KeyUsage): Promise<CryptoKey> {
  const peer = point(pair.keyId);
  const jwk = {
    kty: "EC",
    crv: "P-256",
    d: base64url(scalar(pair.keySecret)),
    x: base64url(peer.subarray(1, 33)),
    y: base64url(peer.subarray(33)),
  };
  return crypto.subtle.importKey("jwk", jwk, P256, false, [usage]);
}

async function sharedBits(curve: Curve, pair: KeyPair, peer: string): Promise<Bytes> {
  if (curve === "secp256k1")
    return secp256k1.getSharedSecret(scalar(pair.keySecret), point(peer), false).slice(1, 33) as Bytes;
  const own = await p256Key(pair, "deriveBits");
  const theirs = await crypto.subtle.importKey("raw", point(peer), P256, false, []);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, own, 256));
}

/** Derive the key that this pair and the service's public key share; the browser does not give it out. */
export async function sharedKey(curve: Curve, pair: KeyPair, peer: string): Promise<CryptoKey> {
  const bits = await sharedBits(curve, pair, peer);
  return crypto.subtle.importKey("raw", bits, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** Throws Error with a sentence where the public key is not the private one's. */
export async function checkPair(curve: Curve, pair: KeyPair): Promise<void> {
  const wrong = "the public key does not belong to the private key";
  const own = point(pair.keyId);
  if (curve === "secp256k1") {
    let made: Uint8Array;
    try {
      made = secp256k1.getPublicKey(scalar(pair.keySecret), false);
    } catch (error) {
      throw error instanceof Error && error.message.startsWith("the private key")
        ? error
        : new Error("the private key is no number of the curve secp256k1");
    }
    if (base64(made) !== base64(own)) throw new Error(wrong);
    return;
  }
  try {
    await p256Key(pair, "deriveBits");
  } catch (error) {
    throw error instanceof Error && error.message.startsWith("the p") ? error : new Error(wrong);
  }
}

export async function newPair(curve: Curve): Promise<KeyPair> {
  if (curve === "secp256k1") {
    const secret = secp256k1.utils.randomSecretKey();
    return { keyId: base64(secp256k1.getPublicKey(secret, false).subarray(1)), keySecret: base64(secret) };
  }
  const made = await crypto.subtle.generateKey(P256, true, ["deriveBits"]);
  const jwk = await crypto.subtle.exportKey("jwk", made.privateKey);
  const bytes = (text: string) => unbase64(`${text.replace(/-/g, "+").replace(/_/g, "/")}=`);
  return {
    keyId: base64(new Uint8Array([...bytes(jwk.x!), ...bytes(jwk.y!)])),
    keySecret: base64(bytes(jwk.d!)),
  };
}

export async function seal(
  key: CryptoKey,
  text: string,
  iv: Bytes = crypto.getRandomValues(new Uint8Array(IV_BYTES)),
): Promise<string> {
  const sealed = new Uint8Array(
    await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, encoder.encode(text)),
  );
  const out = new Uint8Array(IV_BYTES + sealed.length);
  out.set(iv);
  out.set(sealed, IV_BYTES);
  return base64(out);
}

/** Open an envelope. Throws where it is none, or not for this key. */
export async function open(key: CryptoKey, envelope: string): Promise<string> {
  const raw = unbase64(envelope);
  if (raw.length < IV_BYTES + TAG_BYTES) throw new Error("an envelope has at least 32 bytes");
  const iv = raw.subarray(0, IV_BYTES);
  return decoder.decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, raw.subarray(IV_BYTES)));
}

/** Return a copy of a JSON value with every envelope in it opened; `seen` counts them. */
export async function openAll(key: CryptoKey, value: unknown, seen = { opened: 0 }): Promise<unknown> {
  if (typeof value === "string") {
    if (value.length < 44 || value.length % 4 !== 0) return value;
    try {
      const plain = await open(key, value);
      seen.opened += 1;
      return plain;
    } catch {
      return value; // base64 of another kind, such as a public key
    }
  }
  if (Array.isArray(value)) return Promise.all(value.map((each) => openAll(key, each, seen)));
  if (value && typeof value === "object") {
    const opened = Object.entries(value).map(async ([name, each]) => [name, await openAll(key, each, seen)]);
    return Object.fromEntries(await Promise.all(opened));
  }
  return value;
}

/** Make the three headers of one request; `appId` names the page in the service's logs. `uuid`: of a repeat. */
export async function headersFor(
  who: Credentials,
  key: CryptoKey,
  appId: string,
  uuid: string = crypto.randomUUID(),
): Promise<Record<string, string>> {
  const id = { ts: Math.floor(Date.now() / 1000), appid: appId, uuid };
  return {
    licensekey: await seal(key, who.license),
    requestid: await seal(key, JSON.stringify(id)),
    publickey: who.keyId,
  };
}
