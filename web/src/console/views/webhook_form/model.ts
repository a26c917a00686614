/** A webhook as the form has it, and as the API's requests and responses write it. */
import { compact, isJson, items, members, numberText } from "../../text/exact";

export type AuthType = "none" | "basic" | "bearer" | "api_key" | "oauth2";
export type Secret =
  | "username"
  | "password"
  | "token"
  | "keyName"
  | "keyValue"
  | "oauth2.clientId"
  | "oauth2.clientSecret";

export const SECRETS: Record<AuthType, readonly Secret[]> = {
  none: [],
  basic: ["username", "password"],
  bearer: ["token"],
  api_key: ["keyName", "keyValue"],
  oauth2: ["oauth2.clientId", "oauth2.clientSecret"],
};

/** A field of the event's data, and the JSON text that it must equal. */
export interface Condition {
  field: string;
  value: string;
}

/** The content of the form's controls. Numbers are the text that was typed. */
export interface Values {
  name: string;
  tags: string[];
  createdBy: string;
  disabled: boolean;
  paused: boolean;
  eventNames: string[];
  groups: Condition[][];
  criteria: string;
  method: string;
  url: string;
  authType: AuthType;
  grantType: string;
  tokenUrl: string;
  scopes: string[];
  /** Of each that was typed; one that was emptied again is "". */
  credential: Partial<Record<Secret, string>>;
  successCodes: string[];
  retryCodes: string[];
  retryCount: string;
  ttl: string;
  rateLimit: string;
  /** "" leaves it to the deployment. */
  recover: "" | "true" | "false";
}

/** A field's path in a body, and the JSON text of its value. */
export type Parts = Map<string, string>;

/** A body leaves these out where it creates a webhook, and a change goes back to them. */
const DEFAULTS: Record<string, string> = {
  tags: "[]",
  createdBy: '""',
  disabled: "false",
  paused: "false",
  query: "[]",
  criteria: '"ANY"',
  "api.oAuthGrantType": "null",
  "api.oAuthTokenUrl": "null",
  "api.oAuthScopes": "[]",
  retryCodes: "[]",
  ttl: "0",
  rateLimit: "null",
  recover: "null",
};
const MASK = "••••";

export const fresh = (): Values => ({
  name: "",
  tags: [],
  createdBy: "",
  disabled: false,
  paused: false,
  eventNames: [],
  groups: [],
  criteria: "ANY",
  method: "POST",
  url: "",
  authType: "none",
  grantType: "",
  tokenUrl: "",
  scopes: [],
  credential: {},
  successCodes: ["200", "201", "202", "204"],
  retryCodes: [],
  retryCount: "2",
  ttl: "",
  rateLimit: "",
  recover: "",
});

/** Read a webhook's response. Its credential stays where it is: the form never shows one. */
export function read(text: string): Values {
  const webhook = JSON.parse(text);
  const { api } = webhook;
  const query = new Map(members(text)).get("query") ?? "[]";
  const texts = (list: unknown[] | null | undefined) => (list ?? []).map(String);
  return {
    name: webhook.name,
    tags: texts(webhook.tags),
    createdBy: webhook.createdBy ?? "",
    disabled: Boolean(webhook.disabled),
    paused: Boolean(webhook.paused),
    eventNames: texts(webhook.eventNames),
    groups: items(query).map((group) => members(group).map(([field, value]) => ({ field, value }))),
    criteria: webhook.criteria ?? "ANY",
    method: api.type ?? "POST",
    url: api.url,
    authType: api.authType ?? "none",
    grantType: api.oAuthGrantType ?? "",
    tokenUrl: api.oAuthTokenUrl ?? "",
    scopes: texts(api.oAuthScopes),
    credential: {},
    successCodes: texts(webhook.successCodes),
    retryCodes: texts(webhook.retryCodes),
    retryCount: String(webhook.retryCount ?? 0),
    ttl: webhook.ttl ? String(webhook.ttl) : "",
    rateLimit: webhook.rateLimit ? String(webhook.rateLimit) : "",
    recover: webhook.recover === undefined || webhook.recover === null ? "" : `${Boolean(webhook.recover)}`,
  };
}

/** Return the numbers of the groups that are sent: of those that have a condition. */
export const sentGroups = (values: Values) =>
  values.groups.flatMap((group, number) => (group.some(isGiven) ? [number] : []));

export const isGiven = ({ field, value }: Condition) => Boolean(field || value.trim());

/** Write each field of the form. `kept`: the authentication whose credential the service has already. */
export function parts(
  values: Values,
  { kept, isMasked = false }: { kept?: AuthType; isMasked?: boolean } = {},
): Parts {
  const text = JSON.stringify;
  const list = (texts: string[]) => `[${texts.join(",")}]`;
  const isOAuth = values.authType === "oauth2";
  const made: Parts = new Map([
    ["name", text(values.name)],
    ["eventNames", text(values.eventNames)],
    ["tags", text(values.tags)],
    ["createdBy", text(values.createdBy)],
    ["disabled", text(values.disabled)],
    ["paused", text(values.paused)],
    ["query", list(sentGroups(values).map((number) => groupText(values.groups[number]!)))],
    ["criteria", text(values.criteria)],
    ["api.type", text(values.method)],
    ["api.url", text(values.url)],
    ["api.authType", text(values.authType)],
    ["api.oAuthGrantType", text((isOAuth ? "client_credentials" : values.grantType) || null)],
    ["api.oAuthTokenUrl", text(values.tokenUrl || null)],
    ["api.oAuthScopes", text(values.scopes)],
  ]);
  const credential = credentialText(values, kept === values.authType, isMasked);
  if (credential) made.set("api.credential", credential);
  return new Map([
    ...made,
    ["successCodes", list(values.successCodes.map(numberText))],
    ["retryCodes", list(values.retryCodes.map(numberText))],
    ["retryCount", numberText(values.retryCount)],
    ["ttl", values.ttl.trim() ? numberText(values.ttl) : "0"],
    ["rateLimit", values.rateLimit.trim() ? numberText(values.rateLimit) : "null"],
    ["recover", values.recover || "null"],
  ]);
}

function groupText(group: Condition[]): string {
  const given = group.filter(isGiven);
  return `{${given.map(({ field, value }) => `${JSON.stringify(field)}:${isJson(value) ? compact(value) : value.trim()}`).join(",")}}`;
}

/** Write the credential where one was typed. An empty password beside a user name is a password. */
function credentialText(values: Values, isKept: boolean, isMasked: boolean): string | undefined {
  const names = SECRETS[values.authType];
  if (!names.some((name) => values.credential[name])) return undefined;
  const given = names.flatMap((name): [string, string][] => {
    const typed = values.credential[name] ?? (values.authType === "basic" && !isKept ? "" : undefined);
    return typed === undefined ? [] : [[name.replace("oauth2.", ""), isMasked ? MASK : typed]];
  });
  const flat = Object.fromEntries(given);
  return JSON.stringify(values.authType === "oauth2" ? { oauth2: flat } : flat);
}

/** Write the body that creates a webhook. */
export function createBody(values: Values, isMasked = false): string {
  const made = parts(values, { isMasked });
  const hasQuery = made.get("query") !== DEFAULTS.query;
  return written(values, made, (path, text) => text !== DEFAULTS[path] || (path === "criteria" && hasQuery));
}

/** Write the body that changes the fields that differ from the stored webhook; "{}" where none does. */
export function changeBody(values: Values, stored: Values, isMasked = false): string {
  const before = parts(stored);
  return written(
    values,
    parts(values, { kept: stored.authType, isMasked }),
    (path, text) => text !== before.get(path),
  );
}

const OAUTH = ["api.oAuthGrantType", "api.oAuthTokenUrl", "api.oAuthScopes"];

function written(values: Values, made: Parts, isSent: (path: string, text: string) => boolean): string {
  const top: string[] = [];
  const api: string[] = [];
  for (const [path, text] of made) {
    if (!isSent(path, text) || (OAUTH.includes(path) && values.authType !== "oauth2")) continue;
    const member = `${JSON.stringify(path.replace("api.", ""))}:${text}`;
    if (!path.startsWith("api.")) top.push(member);
    else if (api.push(member) === 1) top.push(""); // its place
  }
  return `{${top.map((member) => member || `"api":{${api.join(",")}}`).join(",")}}`;
}

/** Return the paths of fields in which two webhooks differ. */
export function differences(one: Values, other: Values): string[] {
  const others = parts(other);
  return [...parts(one)].flatMap(([path, text]) => (text === others.get(path) ? [] : [path]));
}

/** Carry the changes that were made to one version of a webhook over to a later one. */
export function rebased(values: Values, stored: Values, later: Values): Values {
  const names = Object.keys(values) as (keyof Values)[];
  const isSame = (name: keyof Values) => JSON.stringify(values[name]) === JSON.stringify(stored[name]);
  return { ...values, ...Object.fromEntries(names.filter(isSame).map((name) => [name, later[name]])) };
}
