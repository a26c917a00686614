/** A request as a form describes it, and its response with the envelopes opened. */
import { type ApiResponse, BASE, type Client, send } from "../shared/client";
import { pretty } from "../shared/json";

export interface Request {
  method: string;
  /** Relative to the API's address. */
  path: string;
  secured: boolean;
  body: string | undefined;
}

export interface Exchange {
  response: ApiResponse;
  /** The body as it is shown: indented, its envelopes opened. */
  text: string;
  /** The body's JSON; undefined where it is none. */
  content: unknown;
  opened: number;
}

/** Make the headers of one request: fresh ones each time. */
async function headersOf(request: Request, client: Client | undefined): Promise<Record<string, string>> {
  const headers = request.secured && client ? await client.headers() : {};
  if (request.body !== undefined) headers["content-type"] = "application/json";
  return headers;
}

/** Send a request. Throws ApiError where no response comes. */
export async function exchange(request: Request, client: Client | undefined): Promise<Exchange> {
  const headers = await headersOf(request, client);
  const response = await send(request.method, request.path, { headers, body: request.body });
  const seen = { opened: 0 };
  try {
    const content: unknown = JSON.parse(response.text);
    const text = request.secured && client ? await openText(response.text, client, seen) : response.text;
    return { response, text: pretty(text), content, opened: seen.opened };
  } catch {
    return { response, text: response.text, content: undefined, opened: 0 };
  }
}

/** Open the envelopes in a JSON text; all else stays as it was written, down to the digits of its numbers. */
async function openText(text: string, client: Client, seen: { opened: number }): Promise<string> {
  const opened = new Map<string, string>();
  for (const [token] of text.matchAll(/"[A-Za-z0-9+/=]{44,}"/g)) {
    if (opened.has(token)) continue;
    opened.set(token, JSON.stringify(await client.open(JSON.parse(token), seen)));
  }
  return text.replace(/"[A-Za-z0-9+/=]{44,}"/g, (token) => opened.get(token)!);
}

/** Write a request as a cURL command, with headers that hold for some minutes. */
export async function curl(request: Request, client: Client | undefined): Promise<string> {
  const url = new URL(request.path, BASE).href;
  const headers = Object.entries(await headersOf(request, client));
  return [
    `curl -X ${request.method} ${quote(url)}`,
    ...headers.map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    ...(request.body === undefined ? [] : [`-d ${quote(request.body)}`]),
  ].join(" \\\n  ");
}

const quote = (text: string) => `'${text.replace(/'/g, "'\\''")}'`;
