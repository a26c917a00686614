/** JSON texts taken apart without a change of a value: 1.0 and 12345678901234567890 stay as they are written. */

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const NAME = /^"(?:[^"\\]|\\.)*"/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Remove the space between the tokens of a JSON text. */
export const compact = (text: string) => (text.match(TOKEN) ?? []).join("");

/** Return the texts of an array's elements, or of an object's members with their names. */
export function items(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let item = "";
  for (const token of text.match(TOKEN) ?? []) {
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
