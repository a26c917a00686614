/** The sentences of a refused request, each at the control that it is about. */
import { isJson } from "../../text/exact";
import { isGiven, SECRETS, sentGroups, type Values } from "./model";

/** A wrong control. `id`: of its element, where the focus goes. */
export interface Wrong {
  id: string;
  label: string;
  sentences: string[];
}

export interface Problems {
  fields: Wrong[];
  /** Sentences about no field. */
  others: string[];
}

/** Each field's path, the id of its control and its label, as the page has them from top to bottom. */
const FIELDS: readonly (readonly [string, string, string])[] = [
  ["name", "name", "Name"],
  ["tags", "tags", "Tags"],
  ["createdBy", "created-by", "Created by"],
  ["disabled", "disabled", "State"],
  ["paused", "paused", "Deliveries"],
  ["eventNames", "event-names", "Event names"],
  ["eventName", "event-names", "Event names"],
  ["query", "query", "Filter"],
  ["criteria", "query", "Filter"],
  ["api.type", "method", "Method"],
  ["api.url", "url", "URL"],
  ["api.authType", "auth", "Authentication"],
  ["api.oAuthTokenUrl", "token-url", "Token URL"],
  ["api.oAuthGrantType", "token-url", "Token URL"],
  ["api.oAuthScopes", "scopes", "Scopes"],
  ["api.credential.username", "username", "User name"],
  ["api.credential.password", "password", "Password"],
  ["api.credential.token", "token", "Token"],
  ["api.credential.keyName", "keyName", "Header name"],
  ["api.credential.keyValue", "keyValue", "Header value"],
  ["api.credential.oauth2.clientId", "oauth2.clientId", "Client id"],
  ["api.credential.oauth2.clientSecret", "oauth2.clientSecret", "Client secret"],
  ["successCodes", "success-codes", "Success codes"],
  ["retryCodes", "retry-codes", "Retry codes"],
  ["retryCount", "retry-count", "Retries"],
  ["ttl", "ttl", "Time to answer"],
  ["rateLimit", "rate-limit", "Rate limit"],
  ["recover", "recover", "Recovery"],
];
const CREDENTIAL = "api.credential";
const NAMES = [...new Set([...FIELDS.map(([path]) => path.split(".")[0]!), "api"])];
const PATH = `(?:${NAMES.join("|")})(?:\\.[A-Za-z0-9]+|\\[\\d+\\])*`;
const PATHS = `${PATH}(?:, ${PATH})*: `;
// Sentences have semicolons of their own: one begins where a field's path is, or as these do.
const BETWEEN = new RegExp(`; (?=${PATHS}|the webhook: |every field's name |and \\d+ more$)`);
const BEGIN = new RegExp(`^(${PATH})(?:, ${PATH})*: `);

/** Split a 400's message into its sentences. */
export const sentences = (message: string): string[] => message.split(BETWEEN);

/** Find the control of each sentence. `values`: those that were sent. */
export function problemsOf(message: string, values: Values): Problems {
  const found = new Map<string, Wrong>();
  const others: string[] = [];
  for (const sentence of sentences(message)) {
    const place = placeOf(BEGIN.exec(sentence)?.[1], values);
    if (!place) others.push(sentence);
    else if (found.has(place.id)) found.get(place.id)!.sentences.push(sentence);
    else found.set(place.id, { ...place, sentences: [sentence] });
  }
  return { fields: inOrder([...found.values()]), others };
}

function placeOf(path: string | undefined, values: Values): { id: string; label: string } | undefined {
  if (!path) return undefined;
  const group = /^query\[(\d+)\]/.exec(path);
  const number = group && sentGroups(values)[Number(group[1])];
  if (typeof number === "number") return { id: `query-${number}`, label: `Filter, group ${number + 1}` };
  const plain = path.replace(/\[\d+\]/g, "");
  const own = plain === CREDENTIAL ? `${CREDENTIAL}.${SECRETS[values.authType][0] ?? ""}` : plain;
  const field = FIELDS.find(([each]) => each === own);
  if (field) return { id: field[1], label: field[2] };
  return plain.startsWith("api") ? { id: "auth", label: "Authentication" } : undefined;
}

/** Sort by the order of the page. */
function inOrder(wrong: Wrong[]): Wrong[] {
  const at = ({ id }: Wrong) => FIELDS.findIndex(([, each]) => each === id.replace(/^query-.*/, "query"));
  return wrong.sort((one, other) => at(one) - at(other));
}

/** Find values that cannot be written as JSON, and so cannot be sent at all. */
export function unsendable(values: Values): Wrong[] {
  return values.groups.flatMap((group, number) =>
    group.flatMap((condition, row): Wrong[] => {
      if (!isGiven(condition)) return [];
      const place = `of group ${number + 1}, condition ${row + 1}`;
      if (!isJson(condition.value)) {
        const id = `query-${number}-${row}-value`;
        return [{ id, label: `Value ${place}`, sentences: [notJson(condition.value)] }];
      }
      if (group.findIndex((each) => isGiven(each) && each.field === condition.field) === row) return [];
      const twice = "A group can have each field once: it is a JSON object.";
      return [{ id: `query-${number}-${row}-field`, label: `Field ${place}`, sentences: [twice] }];
    }),
  );
}

function notJson(typed: string): string {
  const text = typed.trim();
  if (!text) return 'The value is missing. It is JSON, such as "EUR", 1 or true.';
  if (/^[-\d]/.test(text))
    return `The value is not a JSON number. Text needs quotes: ${JSON.stringify(text)}.`;
  if (/^["{[]/.test(text)) return "The value is not JSON: a quote or a bracket is missing, or one too many.";
  return `The value is not JSON. Text needs quotes: ${JSON.stringify(text)}.`;
}

export const labelOf = (path: string) =>
  FIELDS.find(([each]) => each === path)?.[2] ?? (path.startsWith(CREDENTIAL) ? "Credential" : path);

/** Move the focus to a control, or to the first one of a group of controls. */
export function focusControl(id: string): void {
  const escaped = CSS.escape(id);
  const control =
    document.querySelector<HTMLElement>(`:is(input, select, textarea)[id="${escaped}"]`) ??
    document.querySelector<HTMLElement>(`[data-group="${escaped}"] :is(input, select, button)`) ??
    document.querySelector<HTMLElement>(`[aria-labelledby="${escaped}-label"] :is(input, select, button)`);
  control?.focus();
  control?.scrollIntoView({ block: "center" });
}
