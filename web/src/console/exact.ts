/** JSON whose numbers stay as they are written: 249.90, 1.0 and 9007199254740993 survive it. */

const STRING = '"(?:[^"\\\\]|\\\\.)*"';
const VALUE = new RegExp(`(${STRING})(\\s*:)?|-?\\d+(?:\\.\\d+)?(?:[eE][+-]?\\d+)?`, "g");
const TOKEN = new RegExp(`${STRING}|[{}[\\],:]|[^\\s{}[\\],:"]+`, "g");

/** A value of which `written` gives the text: each string and each number in it has a letter before it. */
export type Exact = unknown;

/** Read a JSON text; names of members are as usual. Throws SyntaxError. */
export function readExact(text: string): Exact {
  const marked = text.replace(VALUE, (token, string?: string, colon?: string) => {
    if (colon !== undefined) return token;
    return string === undefined ? `"n${token}"` : `"s${string.slice(1)}`;
  });
  return JSON.parse(marked);
}

/** Write a value of `readExact` as JSON. */
export function written(value: Exact): string {
  if (typeof value === "string") return value[0] === "n" ? value.slice(1) : JSON.stringify(value.slice(1));
  if (Array.isArray(value)) return `[${value.map(written).join(", ")}]`;
  if (value && typeof value === "object") {
    const members = Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${written(each)}`);
    return `{${members.join(", ")}}`;
  }
  return String(value);
}

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
  const tokens = [...text.matchAll(TOKEN)];
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
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const position = /position (\d+)/.exec(String(error))?.[1];
    if (position === undefined)
      return "The text is not JSON: it ends too early, or has a character too many.";
    const before = text.slice(0, Number(position)).split("\n");
    return `The text is not JSON: see line ${before.length}, column ${before.at(-1)!.length + 1}.`;
  }
}
