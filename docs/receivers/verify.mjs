// Verify a callback: with the webhook's secret, or with the service's public keys alone. Node 18 and newer, no package.
import { createHash, createHmac, createPublicKey, timingSafeEqual, verify } from "node:crypto";

const TOLERANCE_SECONDS = 300;
const NAMES = ["content-digest", "content-type", "webhook-id", "webhook-timestamp"];
const INPUT =
  /^webhook=(\("@method" "@target-uri" "content-digest" "content-type" "webhook-id" "webhook-timestamp"\);created=(\d{1,12});keyid="([^"]+)";alg="ecdsa-p256-sha256";tag="webhook")$/;

/** Check the HMAC. `secret`: whsec_...; `headers`: by lower-case name; `body`: a Buffer, as received. */
export function verifyWithSecret(secret, headers, body, now = Date.now() / 1000) {
  if (!isRecent(headers["webhook-timestamp"], now)) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const content = Buffer.concat([Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`), body]);
  const wanted = Buffer.from(`v1,${createHmac("sha256", key).update(content).digest("base64")}`);
  // Two tokens while a secret is rotated: one that holds is enough.
  return (headers["webhook-signature"] ?? "").split(" ").some((token) => {
    const sent = Buffer.from(token);
    return sent.length === wanted.length && timingSafeEqual(sent, wanted);
  });
}

/** Check the HTTP message signature. `jwks`: of /.well-known/jwks.json; `url`: the endpoint's, as registered. */
export function verifyWithJwks(jwks, url, headers, body, now = Date.now() / 1000) {
  const digest = `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
  const [, params, created, keyId] = INPUT.exec(headers["signature-input"] ?? "") ?? [];
  if (headers["content-digest"] !== digest || !params || !isRecent(created, now)) return false;
  const jwk = jwks.keys.find((each) => each.kid === keyId);
  const [, sent] = /^webhook=:([A-Za-z0-9+/]{86}==):$/.exec(headers.signature ?? "") ?? [];
  if (!jwk || !sent) return false;
  const values = [["@method", "POST"], ["@target-uri", url], ...NAMES.map((name) => [name, headers[name]])];
  const base = `${values.map(([name, value]) => `"${name}": ${value}\n`).join("")}"@signature-params": ${params}`;
  const key = createPublicKey({ key: jwk, format: "jwk" });
  return verify("sha256", Buffer.from(base), { key, dsaEncoding: "ieee-p1363" }, Buffer.from(sent, "base64"));
}

/** Tell whether a time lies within five minutes of now: an old callback may be a repeated one. */
function isRecent(seconds, now) {
  return /^\d{1,12}$/.test(seconds ?? "") && Math.abs(now - Number(seconds)) <= TOLERANCE_SECONDS;
}
