/** Requests to the API of this deployment, and no other. */
import { type Credentials, type Curve, checkPair, curveOf, headersFor, openAll, sharedKey } from "./protocol";

/** The API's address: the page's own, without its last segment; a slash at its end is none. */
export const BASE = new URL(location.pathname.replace(/[^/]*\/*$/, ""), location.origin);
const SERVICE_KEY_MS = 300_000;
/** A key that is younger than this was not reset since. */
const SERVICE_KEY_FRESH_MS = 1000;
const PATIENCE_MS = 30_000;
const UNREACHABLE = "The service cannot be reached. Check the network connection.";

/** A response that is an error, or none at all (status 0). `message` is the API's own sentence. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly requestId = "",
    /** Seconds. */
    readonly retryAfter?: number,
    /** The browser's clock less the service's, in seconds, as far as the response tells it. */
    readonly clockAhead?: number,
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

export interface ApiResponse {
  status: number;
  headers: Headers;
  text: string;
  milliseconds: number;
}

/** When the service answered last, in epoch ms; 0: not yet. */
export const contact = { at: 0 };

// The service neither redirects nor has cookies: those of another page on its host are none of its business.
const HOW: RequestInit = { cache: "no-store", redirect: "error", credentials: "omit" };

let known: { at: number; service: Promise<Service> } | undefined;

/** Return the service's public key, at most five minutes old, `within` ms where given. Throws ApiError. */
export function service(within = SERVICE_KEY_MS): Promise<Service> {
  if (!known || known.at < Date.now() - within) {
    const asked = send("GET", "publickeys").then((response) => {
      const key = (json(successful(response)) as { publicKey?: unknown } | undefined)?.publicKey;
      if (typeof key !== "string")
        throw new ApiError(response.status, foreign(response), requestId(response));
      return { key, curve: curveOf(key) };
    });
    const mine = { at: Date.now(), service: asked };
    asked.catch(() => {
      if (known === mine) known = undefined;
    });
    known = mine;
  }
  return known.service;
}

/** Send a request as it is. Throws ApiError where no response comes within 30 s. */
export async function send(
  method: string,
  path: string,
  init: { headers?: Record<string, string>; body?: string; signal?: AbortSignal } = {},
): Promise<ApiResponse> {
  const began = performance.now();
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, patience.signal]) : patience.signal;
  try {
    const response = await fetch(new URL(path, BASE), { ...HOW, method, ...init, signal });
    const text = await response.text();
    const milliseconds = performance.now() - began;
    contact.at = Date.now();
    return { status: response.status, headers: response.headers, text, milliseconds };
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(
      0,
      patience.signal.aborted
        ? `The service did not answer within ${PATIENCE_MS / 1000} s. Its response, if one comes, is not shown.`
        : UNREACHABLE,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Return a response that is 2xx. Throws ApiError for every other. */
function successful(response: ApiResponse): ApiResponse {
  if (response.status >= 200 && response.status < 300) return response;
  let message: unknown;
  try {
    message = JSON.parse(response.text).message;
  } catch {
    message = undefined; // of a proxy
  }
  throw new ApiError(
    response.status,
    typeof message === "string" && message ? message : foreign(response),
    requestId(response),
    retryAfter(response),
    clockAhead(response),
  );
}

/** The sentence for a response that the API did not write: of a proxy, or of a network's sign-in page. */
const foreign = (response: ApiResponse, why = "it is no JSON") =>
  `The response (status ${response.status}) is not the service's: ${why}. A proxy or the network may have made it.`;

/** Return the JSON of a response; undefined where it has no body. Throws ApiError. */
function json(response: ApiResponse): unknown {
  try {
    return response.text ? JSON.parse(response.text) : undefined;
  } catch {
    throw new ApiError(response.status, foreign(response), requestId(response));
  }
}

function retryAfter(response: ApiResponse): number | undefined {
  const text = response.headers.get("retry-after") ?? "";
  const wait = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

function clockAhead(response: ApiResponse): number | undefined {
  const at = Date.parse(response.headers.get("date") ?? "");
  return Number.isNaN(at) ? undefined : Math.round((Date.now() - at) / 1000);
}

const requestId = (response: ApiResponse) => response.headers.get("x-request-id") ?? "";

/** A caller. Its keys are in this object and nowhere else. */
export class Client {
  #who: Credentials;
  #appId: string;
  #shared: { key: string; shared: Promise<CryptoKey> } | undefined;

  private constructor(who: Credentials, appId: string) {
    this.#who = who;
    this.#appId = appId;
  }

  /** Throws Error with a sentence where the pair does not fit, ApiError where the service does not respond. */
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
    const response = await this.response(method, path, body, signal);
    const value = json(response);
    // Only a deletion has nothing to say.
    if (method !== "DELETE" && (typeof value !== "object" || !value))
      throw new ApiError(response.status, foreign(response, "it has no content"), requestId(response));
    return value as T;
  }

  /**
   * Send a request and return the response, which is 2xx and JSON: its text is exact. Requests with the same `uuid`,
   * method, path and body make their change once. Throws ApiError.
   */
  async response(
    method: string,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
    uuid?: string,
  ): Promise<ApiResponse> {
    const before = (await service()).key;
    try {
      return await this.#once(method, path, body, signal, uuid);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      // The service's key may have been reset: nothing was carried out, so once more with the present one.
      const present = await service(SERVICE_KEY_FRESH_MS).catch(() => undefined);
      if (!present || present.key === before) throw error;
      return await this.#once(method, path, body, signal, uuid);
    }
  }

  async #once(
    method: string,
    path: string,
    body: unknown,
    signal?: AbortSignal,
    uuid?: string,
  ): Promise<ApiResponse> {
    const headers = await this.headers(uuid);
    if (body !== undefined) headers["content-type"] = "application/json";
    const text = body instanceof JsonText ? body.text : JSON.stringify(body);
    const response = successful(await send(method, path, { headers, body: text, signal }));
    json(response); // a sign-in page of a network is no response of ours
    return response;
  }

  async #key(): Promise<CryptoKey> {
    const { key, curve } = await service();
    if (this.#shared?.key !== key) this.#shared = { key, shared: sharedKey(curve, this.#who, key) };
    return this.#shared.shared;
  }
}
