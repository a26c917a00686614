/** Webhooks as rows with their health; a row opens its webhook. */

import { Strip } from "../../parts/strip";
import { Pill, SkeletonRows } from "../../parts/ui";
import { address } from "../../state/router";
import type { Webhook, WebhookHealth } from "../../state/types";
import { duration, host, milliseconds } from "../../text/format";
import { counted } from "../../text/health";
import type { RowHealth } from "./webhook_list";

const NAMES_IN_TIP = 12;

function Columns() {
  return (
    <thead>
      <tr>
        <th>State</th>
        <th>Webhook</th>
        <th class="c-ev">Events</th>
        <th data-tip="Height is duration. Below the line: retried, held, skipped or dead">
          Last 100 deliveries
        </th>
        <th class="num">Success</th>
        <th class="num c-p50">p50</th>
        <th class="num">p99</th>
      </tr>
    </thead>
  );
}

/** The table before the first rows are there. */
export function WebhookSkeleton() {
  return (
    <>
      <div class="vh" role="status">
        Loading webhooks
      </div>
      <div class="clip">
        <table class="tbl" aria-hidden="true">
          <Columns />
          <tbody>
            <SkeletonRows columns={["w1", "w3", "w2", "w3 h", "w1", "w1", "w1"]} count={9} />
          </tbody>
        </table>
      </div>
    </>
  );
}

export function WebhookTable(props: {
  webhooks: Webhook[];
  healthOf: (webhookId: string) => RowHealth;
  /** The health could not be loaded. */
  isHealthFailed: boolean;
  isBusy: boolean;
}) {
  return (
    <table class="tbl rows" aria-label="Webhooks" aria-busy={props.isBusy}>
      <Columns />
      <tbody>
        {props.webhooks.map((each) => (
          <Row
            key={each._id}
            webhook={each}
            health={props.healthOf(each._id)}
            isHealthFailed={props.isHealthFailed}
          />
        ))}
      </tbody>
    </table>
  );
}

function Row(props: { webhook: Webhook; health: RowHealth; isHealthFailed: boolean }) {
  const { webhook, health } = props;
  const href = address(["webhooks", webhook._id]);
  const known = typeof health === "string" ? undefined : health;
  const isWaiting = health === "unknown" && !props.isHealthFailed;
  return (
    <tr data-row={href}>
      <td class="nowrap o2">
        <StateLabel webhook={webhook} health={health} isWaiting={isWaiting} />
      </td>
      <td class="o1">
        <div class="two">
          <a class="name clip" href={href}>
            {webhook.name}
          </a>
          <span class="mono meta clip">{host(webhook.api.url)}</span>
        </div>
      </td>
      <td class="hide c-ev">
        <EventNames names={webhook.eventNames} />
      </td>
      <td>
        {isWaiting && <span class="sk w3 h" />}
        {known && known.deliveries.length > 0 && <Strip deliveries={known.deliveries} />}
        {known?.deliveries.length === 0 && <span class="meta">No deliveries yet</span>}
        {health === "unknown" && props.isHealthFailed && <span class="meta">Not loaded</span>}
      </td>
      <td class="num">{known?.successRate === undefined ? "–" : `${known.successRate} %`}</td>
      <td class="num c-p50 hide">{milliseconds(known?.p50Ms)}</td>
      <td class="num hide">{milliseconds(known?.p99Ms)}</td>
    </tr>
  );
}

/** The state, and its details under it. */
function StateLabel(props: { webhook: Webhook; health: RowHealth; isWaiting: boolean }) {
  const { webhook, health } = props;
  if (health === "deleted")
    return (
      <>
        <Pill kind="disabled" text="Deleted" />
        <div class="meta">since the list was loaded</div>
      </>
    );
  const known = health === "unknown" ? undefined : health;
  const state = known?.state ?? ownState(webhook);
  if (!state) return props.isWaiting ? <span class="sk w1" /> : <span class="meta">Not loaded</span>;
  const held = known?.held ? `${counted(known.held)} held` : "";
  const isHeld = state === "held" && held;
  const details = [
    state === "disabled" && webhook.disabledReason,
    state === "slow" && known?.p99Ms !== undefined && `p99 ${milliseconds(known.p99Ms)}`,
    !isHeld && held,
  ].filter(Boolean);
  return (
    <>
      <Pill kind={state} text={isHeld ? held : failingFor(known)} />
      {details.length > 0 && <div class="meta">{details.join(", ")}</div>}
    </>
  );
}

/** "Failing 1 h 49 min"; undefined for other states. */
function failingFor(known: WebhookHealth | undefined): string | undefined {
  if (known?.state !== "failing" || !known.since) return undefined;
  return `Failing ${duration(Math.max(0, Date.now() - Date.parse(known.since)))}`;
}

/** The state that the tenant or the service gave it: known without its health. */
function ownState(webhook: Webhook) {
  if (webhook.disabled) return "disabled";
  return webhook.paused ? "paused" : undefined;
}

function EventNames({ names }: { names: string[] }) {
  const more = names.slice(1);
  const told = more.slice(0, NAMES_IN_TIP);
  if (more.length > told.length) told.push(`and ${more.length - told.length} more`);
  return (
    <div class="two">
      <span class="evt clip">{names[0]}</span>
      {more.length > 0 && (
        <span class="meta" data-tip={told.join("\n")}>
          and {more.length} more
        </span>
      )}
    </div>
  );
}
