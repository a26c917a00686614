/** The state of the endpoint: the reason first, then figures of the last deliveries, and the history. */
import { useState } from "preact/hooks";
import { Icon } from "../../parts/icons";
import { Strip } from "../../parts/strip";
import { Button, lookOf, Note, useTick, When } from "../../parts/ui";
import type { Health, ShownWebhook, State, WebhookHealth } from "../../state/types";
import { createdAt, milliseconds } from "../../text/format";
import { changeText, consequence, counted, standing } from "../../text/health";
import { HealthBand } from "./health_band";

const SHOWN = 5;

export function HealthCard(props: {
  webhook: ShownWebhook;
  /** The last 100, newest first; undefined until they are loaded. */
  last?: WebhookHealth["deliveries"];
  enable?: preact.ComponentChildren;
}) {
  const { webhook, last } = props;
  const { health } = webhook;
  const { tone, icon } = lookOf(health.state);
  return (
    <section class="card" aria-labelledby="health-title">
      <header>
        <h2 id="health-title">Health</h2>
        <span class="meta push">Last 24 hours</span>
      </header>
      <div class="body stack">
        <HealthBand health={health} />
        <div class="g2">
          <div class="stack">
            <Note tone={tone} icon={icon} actions={props.enable}>
              <Standing health={health} /> {consequence(webhook)}
            </Note>
            {last ? <Strip deliveries={last} /> : <div class="strip" />}
            <Figures health={health} />
            <Latest health={health} />
          </div>
          <History webhook={webhook} />
        </div>
      </div>
    </section>
  );
}

function Standing({ health }: { health: Health }) {
  useTick();
  return <b>{standing(health)}</b>;
}

function Figures({ health }: { health: Health }) {
  const { count } = health.deliveries;
  const rate = health.successRate;
  return (
    <dl class="figs">
      <div>
        <dt>Success{count ? `, last ${count}` : ""}</dt>
        <dd>{rate === undefined ? "–" : `${rate} %`}</dd>
      </div>
      <div>
        <dt>p50</dt>
        <dd>{milliseconds(health.p50Ms)}</dd>
      </div>
      <div>
        <dt>p99</dt>
        <dd>{milliseconds(health.p99Ms)}</dd>
      </div>
      <div>
        <dt>Held</dt>
        <dd>{counted(health.held)}</dd>
      </div>
    </dl>
  );
}

function Latest({ health }: { health: Health }) {
  const { lastSuccessAt, lastFailure, deliveries } = health;
  const none = deliveries.count ? `none among the last ${deliveries.count}` : "none";
  return (
    <dl class="kv">
      <dt>Last success</dt>
      <dd>{lastSuccessAt ? <When at={lastSuccessAt} fine /> : none}</dd>
      <dt>Last failure</dt>
      <dd>
        {lastFailure ? (
          <>
            <When at={lastFailure.at} fine />, {lastFailure.reason}
          </>
        ) : (
          none
        )}
      </dd>
      {Boolean(health.recoverable) && (
        <>
          <dt>Recoverable</dt>
          <dd>{counted(health.recoverable!)} dead, sent once more after the outage</dd>
        </>
      )}
    </dl>
  );
}

const MARKS: Record<State, string> = {
  healthy: "ok",
  slow: "warn",
  failing: "bad",
  held: "held",
  paused: "off",
  disabled: "off",
};

function History({ webhook }: { webhook: ShownWebhook }) {
  const [isWhole, showAll] = useState(false);
  const { changes } = webhook.health;
  const shown = isWhole ? changes : changes.slice(0, SHOWN);
  return (
    <div>
      <ol class="hist" aria-label="History">
        {shown.map((change, index) => (
          <li key={`${change.at}${index}`} class={`k-${MARKS[change.state]}`}>
            <Icon name={lookOf(change.state).icon} />
            <span class="wrap">{changeText(change, changes.slice(index + 1))}</span>
            <span class="meta">
              <When at={change.at} fine />
            </span>
          </li>
        ))}
        {shown.length === changes.length && changes.length < 20 && (
          <li class="k-ok">
            <Icon name="plus" />
            <span class="wrap">Created{webhook.createdBy && ` by ${webhook.createdBy}`}</span>
            <span class="meta">
              <When at={createdAt(webhook._id)} fine />
            </span>
          </li>
        )}
      </ol>
      {changes.length > SHOWN && (
        <Button look="sm quiet" onClick={() => showAll(!isWhole)}>
          {isWhole ? "Show less" : `Show all ${changes.length} changes`}
        </Button>
      )}
    </div>
  );
}
