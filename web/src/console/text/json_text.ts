/** JSON as it is written: numbers keep each digit, and an error has its place. */

export class NumberText {
  constructor(readonly text: string) {}
}

export type Json = string | boolean | null | NumberText | Json[] | Map<string, Json>;

/** A text that is no JSON: the problem, and its place. */
export class JsonError extends Error {
  constructor(problem: string, text: string, at: number) {
    const before = text.slice(0, at).split("\n");
    super(`Line ${before.length}, column ${before.at(-1)!.length + 1}: ${problem}.`);
  }
}

const STRING = /"(?:[^"\\]|\\.)*"/sy;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const SPACE = /[ \t\n\r]*/y;

/** Read a JSON text. Throws JsonError. */
export function readJson(text: string): Json {
  let at = 0;
  const fail = (problem: string): never => {
    throw new JsonError(at >= text.length ? `the text ends, and ${problem}` : problem, text, at);
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const take = (sign: string) => {
    match(SPACE);
    if (text[at] !== sign) return false;
    at += 1;
    return true;
  };
  const string = (missing: string): string => {
    match(SPACE);
    if (text[at] !== '"') return fail(missing);
    const begin = at;
    const found = match(STRING);
    if (found === undefined) return fail("this text has no end");
    try {
      return JSON.parse(found);
    } catch {
      at = begin;
      return fail("this text has a line break, or an escape that JSON does not know");
    }
  };
  const value = (): Json => {
    match(SPACE);
    if (text[at] === '"') return string("");
    if (take("{")) return object();
    if (take("[")) return list();
    const word = match(WORD);
    if (word) return JSON.parse(word);
    const number = match(NUMBER);
    return number ? new NumberText(number) : fail("a value is expected here");
  };
  const object = (): Json => {
    const found = new Map<string, Json>();
    if (take("}")) return found;
    do {
      const name = string('a name in "double quotes" is expected here');
      if (!take(":")) fail("a colon is expected here");
      found.set(name, value());
    } while (take(","));
    return take("}") ? found : fail("a comma or } is expected here");
  };
  const list = (): Json => {
    const found: Json[] = [];
    if (take("]")) return found;
    do found.push(value());
    while (take(","));
    return take("]") ? found : fail("a comma or ] is expected here");
  };
  const read = value();
  match(SPACE);
  return at < text.length ? fail("the end is expected here") : read;
}

/** Write a value that was read. */
export function writeJson(value: Json): string {
  if (value instanceof NumberText) return value.text;
  if (Array.isArray(value)) return `[${value.map(writeJson).join(", ")}]`;
  if (value instanceof Map)
    return `{${[...value].map(([name, each]) => `${JSON.stringify(name)}: ${writeJson(each)}`).join(", ")}}`;
  return JSON.stringify(value);
}
