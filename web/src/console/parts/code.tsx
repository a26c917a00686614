/** JSON and headers as text with colours. */

export { pretty } from "../../shared/json";

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)\b/g;

/** A JSON text as it is, its names, strings and other values coloured. */
export function Json({ text, wrap = false }: { text: string; wrap?: boolean }) {
  const parts = [];
  let last = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > last) parts.push(text.slice(last, match.index));
    const [whole, string, colon] = match;
    const kind = string ? (colon ? "k" : "s") : "n";
    parts.push(
      <span class={kind} key={match.index}>
        {string ?? whole}
      </span>,
    );
    if (colon) parts.push(colon);
    last = match.index + whole.length;
  }
  parts.push(text.slice(last));
  return (
    <pre class={`code ${wrap ? "wrap" : ""}`} tabIndex={0}>
      {parts}
    </pre>
  );
}

/** Headers, one a line; `first` is the line before them. */
export function Headers({ headers, first }: { headers: Record<string, string>; first?: string }) {
  return (
    <pre class="code" tabIndex={0}>
      {first && <b>{`${first}\n`}</b>}
      {Object.entries(headers).map(([name, value]) => (
        <span key={name}>
          <span class="k">{name}:</span> {`${value}\n`}
        </span>
      ))}
    </pre>
  );
}
