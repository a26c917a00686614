/** Parts of a JSON text, as they are written: 249.90, 1.0 and 9007199254740993 stay so. */
import { TOKENS } from "../../shared/json";
import { JsonError, readJson } from "./json_text";

const NAME = /^"(?:[^"\\]|\\.)*"/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Return the text of a member of a JSON object, as it is written; undefined where it has none of that name. */
export function memberText(text: string, name: string): string | undefined {
  const place = memberPlace(text, name);
  return place && text.slice(place.from, place.to);
}

/** Return the text with another value of a member; as it was where it has none of that name. */
export function withMember(text: string, name: string, value: string): string {
  const place = memberPlace(text, name);
  return place ? text.slice(0, place.from) + value + text.slice(place.to) : text;
}

function memberPlace(text: string, name: string): { from: number; to: number } | undefined {
  const tokens = [...text.matchAll(TOKENS)];
  let depth = 0;
  let from = -1;
  for (const [at, { 0: token, index }] of tokens.entries()) {
    const isEnd = depth === 1 && (token === "," || token === "}");
    if (from >= 0 && isEnd) {
      const last = tokens[at - 1]!;
      return { from, to: last.index + last[0].length };
    }
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    else if (depth === 1 && token[0] === '"' && tokens[at + 1]?.[0] === ":" && JSON.parse(token) === name)
      from = tokens[at + 2]?.index ?? index;
  }
  return undefined;
}

/** Return the sentence about a text that is no JSON, with its place; undefined for JSON. */
export function syntaxProblem(text: string): string | undefined {
  try {
    readJson(text);
    return undefined;
  } catch (error) {
    return error instanceof JsonError ? error.message : "The text is nested too deeply.";
  }
}

/** Remove the space between the tokens of a JSON text. */
export const compact = (text: string) => (text.match(TOKENS) ?? []).join("");

/** Return the texts of an array's elements, or of an object's members with their names. */
export function items(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let item = "";
  for (const token of text.match(TOKENS) ?? []) {
    if (token === "}" || token === "]") depth -= 1;
    if (depth > 0) {
      if (token === "," && depth === 1) {
        found.push(item);
        item = "";
      } else item += token;
    }
    if (token === "{" || token === "[") depth += 1;
  }
  return item ? [...found, item] : found;
}

/** Return an object's names and the texts of their values. */
export const members = (text: string) =>
  items(text).map((item): [string, string] => {
    const name = NAME.exec(item)![0];
    return [JSON.parse(name), item.slice(name.length + 1)];
  });

/** Tell whether a text is JSON that the service can read: it refuses numbers beyond those of doubles. */
export function isJson(text: string): boolean {
  try {
    const values: unknown[] = [JSON.parse(text)];
    for (const value of values) {
      if (typeof value === "number" && !Number.isFinite(value)) return false;
      if (value && typeof value === "object") values.push(...Object.values(value));
    }
    return true;
  } catch {
    return false;
  }
}

/** Write the text that was typed for a number: a number as it is, other text quoted, which the service explains. */
export const numberText = (typed: string) =>
  NUMBER.test(typed.trim()) ? typed.trim() : JSON.stringify(typed);
