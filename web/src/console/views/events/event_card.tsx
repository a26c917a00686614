/** One event name: its listeners, a sample, and the fields that filters use. */

import { Json } from "../../parts/code";
import { Button } from "../../parts/ui";
import type { Listened } from "../../state/catalogue";
import { address, link } from "../../state/router";
import { samplesFor } from "../../state/samples";
import type { Session } from "../../state/session";
import { number, plural } from "../../text/format";
import type { ReadWebhooks } from "./events";

const LISTED = 10;

export function EventCard(props: { session: Session; entry: Listened; data: ReadWebhooks }) {
  const { name, listeners, fields } = props.entry;
  const { read, total } = props.data;
  const sample = samplesFor(props.session.scope).find((each) => each.name === name);
  const disabled = listeners.filter((each) => each.disabled).length;
  const rest = listeners.length - LISTED;
  return (
    <section class="card" id="event-card" aria-labelledby="event-name">
      <header>
        <h2 class="mono wrap" id="event-name">
          {name}
        </h2>
        <span class="push row">
          <Button look="sm" icon="send" href={link({ e: name, dialog: "publish" })}>
            Publish…
          </Button>
        </span>
      </header>
      <div class="body stack">
        <dl class="figs">
          <div>
            <dt>Webhooks</dt>
            <dd>
              {number(listeners.length)}
              {read < total && <small>of the {number(read)} that were read</small>}
            </dd>
          </div>
          {disabled > 0 && (
            <div>
              <dt>Of these disabled</dt>
              <dd>{number(disabled)}</dd>
            </div>
          )}
        </dl>
        {listeners.length > 0 && (
          <>
            <ul class="names" aria-label="Webhooks that listen">
              {listeners.slice(0, LISTED).map((each) => (
                <li key={each.id} class="wrap">
                  <a href={address(["webhooks", each.id])}>{each.name}</a>
                  {each.disabled && <span class="meta"> disabled</span>}
                </li>
              ))}
            </ul>
            {rest > 0 && <p class="meta">And {plural(rest, "more webhook")}.</p>}
          </>
        )}
        <h3>Sample</h3>
        {sample && <Json text={sample.event} />}
        <p class="meta">
          {sample ? "The sample ships with the service. " : "No sample of this name ships with the service. "}
          {fields.length > 0 && (
            <>
              Fields that filters use today:{" "}
              {fields.map((each, at) => (
                <span key={each} class="wrap">
                  {at > 0 && ", "}
                  <code>{each}</code>
                </span>
              ))}
              .
            </>
          )}
        </p>
      </div>
    </section>
  );
}
