/** Members of a JSON text, as they are written: 249.90, 1.0 and 9007199254740993 stay so. */
import { JsonError, readJson } from "./json_text";

const STRING = '"(?:[^"\\\\]|\\\\.)*"';
const TOKEN = new RegExp(`${STRING}|[{}[\\],:]|[^\\s{}[\\],:"]+`, "g");

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
    readJson(text);
    return undefined;
  } catch (error) {
    return error instanceof JsonError ? error.message : "The text is nested too deeply.";
  }
}
