/** JSON as text: its numbers stay as they were written. */

/** The tokens of a JSON text. */
export const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** Levels that are indented. */
const DEEPEST = 40;

/** Indent a JSON text without changing a value. */
export function pretty(text: string): string {
  const out: string[] = [];
  let depth = 0;
  let before = "";
  // Each level costs its lines: 10,000 of them would be 200 MB.
  const line = () => `\n${"  ".repeat(Math.min(depth, DEEPEST))}`;
  for (const token of text.match(TOKENS) ?? []) {
    const isClosing = token === "}" || token === "]";
    if (isClosing) depth -= 1;
    const isAfterOpening = before === "{" || before === "[";
    // An empty object or array stays on its line.
    if (isClosing !== isAfterOpening || before === ",") out.push(line());
    out.push(token === ":" ? ": " : token);
    if (token === "{" || token === "[") depth += 1;
    before = token;
  }
  return out.join("");
}
