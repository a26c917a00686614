/** Requests to the API of this deployment, and no other. */
import { type Credentials, type Curve, checkPair, curveOf, headersFor, openAll, sharedKey } from "./wire";

/** The API's address: the page's own, without its last segment. */
export const BASE = new URL(".", location.href);
const SERVICE_KEY_MS = 300_000;

/** A response that is an error, or none at all (status 0). `message` is the API's own sentence. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly requestId = "",
    /** Seconds. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

/** A body that is JSON already: its numbers stay as they were written. */
export class JsonText {
  constructor(readonly text: string) {}
}

export interface Service {
  key: string;
  curve: Curve;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  milliseconds: number;
}

let known: { at: number; service: Promise<Service> } | undefined;

/** Return the service's public key, at most five minutes old. Throws ApiError. */
export function service(): Promise<Service> {
  if (!known || known.at < Date.now() - SERVICE_KEY_MS) {
    const asked = send("GET", "publickeys").then((answer) => {
      const key = (json(successful(answer)) as { publicKey: string }).publicKey;
      return { key, curve: curveOf(key) };
    });
    asked.catch(() => {
      known = undefined;
    });
    known = { at: Date.now(), service: asked };
  }
  return known.service;
}

/** Send a request as it is. Throws ApiError where no response comes. */
export async function send(
  method: string,
  path: string,
  init: { headers?: Record<string, string>; body?: string; signal?: AbortSignal } = {},
): Promise<Answer> {
  const began = performance.now();
  try {
    const response = await fetch(new URL(path, BASE), { method, cache: "no-store", ...init });
    const text = await response.text();
    const milliseconds = performance.now() - began;
    return { status: response.status, headers: response.headers, text, milliseconds };
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, "The service cannot be reached. Check the network connection.");
  }
}

/** Return an answer that is 2xx. Throws ApiError for every other. */
function successful(answer: Answer): Answer {
  if (answer.status >= 200 && answer.status < 300) return answer;
  let message: unknown;
  try {
    message = JSON.parse(answer.text).message;
  } catch {
    message = undefined; // of a proxy
  }
  const retryAfter = Number.parseInt(answer.headers.get("retry-after") ?? "", 10);
  throw new ApiError(
    answer.status,
    typeof message === "string" ? message : `The service responded with status ${answer.status}.`,
    requestId(answer),
    Number.isNaN(retryAfter) ? undefined : retryAfter,
  );
}

/** Return the JSON of an answer; undefined where it has no body. Throws ApiError. */
function json(answer: Answer): unknown {
  try {
    return answer.text ? JSON.parse(answer.text) : undefined;
  } catch {
    throw new ApiError(answer.status, "The response is not JSON.", requestId(answer));
  }
}

const requestId = (answer: Answer) => answer.headers.get("x-request-id") ?? "";

/** A caller. Its keys are in this object and nowhere else. */
export class Client {
  #who: Credentials;
  #appId: string;
  #shared: { key: string; shared: Promise<CryptoKey> } | undefined;

  private constructor(who: Credentials, appId: string) {
    this.#who = who;
    this.#appId = appId;
  }

  /** Throws Error with a sentence where the pair does not fit, ApiError where the service does not answer. */
  static async of(who: Credentials, appId: string): Promise<Client> {
    const { curve } = await service();
    await checkPair(curve, who);
    return new Client(who, appId);
  }

  get keyId(): string {
    return this.#who.keyId;
  }

  /** Make fresh headers for one request. */
  async headers(uuid?: string): Promise<Record<string, string>> {
    return headersFor(this.#who, await this.#key(), this.#appId, uuid);
  }

  /** Open each envelope in a JSON value. */
  async open(value: unknown, seen = { opened: 0 }): Promise<unknown> {
    return openAll(await this.#key(), value, seen);
  }

  /** Send a request and return the response's JSON as it is: envelopes stay closed. Throws ApiError. */
  async call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    return json(await this.answer(method, path, body, signal)) as T;
  }

  /**
   * Send a request and return the response, which is 2xx: its text is exact. Requests with the same `uuid`,
   * method, path and body make their change once. Throws ApiError.
   */
  async answer(
    method: string,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
    uuid?: string,
  ): Promise<Answer> {
    try {
      return await this.#once(method, path, body, signal, uuid);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      // The service's key may have been reset: nothing was carried out, so once more with the present one.
      const before = (await service()).key;
      known = undefined;
      if ((await service()).key === before) throw error;
      return await this.#once(method, path, body, signal, uuid);
    }
  }

  async #once(
    method: string,
    path: string,
    body: unknown,
    signal?: AbortSignal,
    uuid?: string,
  ): Promise<Answer> {
    const headers = await this.headers(uuid);
    if (body === undefined) return successful(await send(method, path, { headers, signal }));
    headers["content-type"] = "application/json";
    const text = body instanceof JsonText ? body.text : JSON.stringify(body);
    return successful(await send(method, path, { headers, body: text, signal }));
  }

  async #key(): Promise<CryptoKey> {
    const { key, curve } = await service();
    if (this.#shared?.key !== key) this.#shared = { key, shared: sharedKey(curve, this.#who, key) };
    return this.#shared.shared;
  }
}
