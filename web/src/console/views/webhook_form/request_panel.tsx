/** The same request as from code: it follows the form, and shows no credential. */
import { Json, pretty } from "../../parts/code";
import { Copy } from "../../parts/ui";
import { inScope, type Session } from "../../state/session";
import { unsendable } from "./field_errors";
import { changeBody, createBody, type Values } from "./model";

export function RequestPanel(props: { session: Session; values: Values; id?: string; stored?: Values }) {
  const { values, stored, id } = props;
  const body = pretty(stored ? changeBody(values, stored, true) : createBody(values, true));
  const community = inScope(props.session.scope);
  const isReady = unsendable(values).length === 0;
  return (
    <aside class="card sticky" aria-label="Request">
      <header>
        <h2>Request</h2>
        {isReady && (
          <span class="push">
            <Copy text={body} what="request" />
          </span>
        )}
      </header>
      <div class="body stack">
        <p class="mono meta break">
          {id ? "PATCH" : "PUT"} /{community}
          <wbr />
          /webhook{id && `/${id}`}
        </p>
        <Json text={body} />
        <p class="meta">
          {isReady
            ? "The same call from your code. It follows the form as you type."
            : "A value is not JSON yet, so this cannot be sent."}
          {id && isReady && body === "{}" && " Nothing is changed yet."}
        </p>
      </div>
    </aside>
  );
}
