/** Deliveries as rows; a row opens its delivery (`?open=…`). */
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../parts/icons";
import { Pill, When } from "../parts/ui";
import { link, useRoute } from "../state/router";
import { onEnd } from "../state/session";
import type { Delivery } from "../state/types";
import { milliseconds, plural } from "../text/format";
import { answered, isTaken } from "./delivery_story";

const FITTING = 32; // characters
const rows = new Map<string, Delivery>();
const opened = new Map<string, Delivery>();
const listeners = new Set<() => void>();
onEnd(() => {
  rows.clear();
  opened.clear();
});

/** Take a delivery as it was read when it was opened: its row keeps up with it. */
export function learnDelivery(delivery: Delivery): void {
  opened.set(delivery.deliveryId, delivery);
  for (const each of listeners) each();
}

function newest(row: Delivery): Delivery {
  const known = opened.get(row.deliveryId);
  return known && known.settledAt >= row.settledAt ? known : row;
}

function useOpened(): void {
  const [, redraw] = useState(0);
  useEffect(() => {
    const changed = () => redraw((count) => count + 1);
    listeners.add(changed);
    return () => {
      listeners.delete(changed);
    };
  }, []);
}

/** Return a delivery as the table on the page has it: without its payload and its requests' headers. */
export const listed = (id: string): Delivery | undefined => rows.get(id);

export function DeliveryTable(props: {
  deliveries: Delivery[];
  /** The webhook's name of a row, where rows of several are shown. */
  nameOf?: (webhookId: string) => string;
  isFresh?: (delivery: Delivery) => boolean;
}) {
  const open = useRoute().query.open;
  useOpened();
  const deliveries = props.deliveries.map(newest);
  rows.clear();
  for (const each of deliveries) rows.set(each.deliveryId, each);
  return (
    <table class="tbl rows dense deliveries">
      <thead>
        <tr>
          <th>Outcome</th>
          <th>Event</th>
          {props.nameOf && <th class="c-hook">Webhook</th>}
          <th>Attempts</th>
          <th>Last answer</th>
          <th class="num">Took</th>
          <th class="num">When</th>
        </tr>
      </thead>
      <tbody>
        {deliveries.map((each) => {
          const last = each.attempts.at(-1);
          return (
            <tr
              key={each.deliveryId}
              data-delivery={each.deliveryId}
              data-row={link({ open: each.deliveryId })}
              aria-selected={each.deliveryId === open ? "true" : undefined}
              class={props.isFresh?.(each) ? "fresh" : ""}
            >
              <td>
                <Pill kind={each.outcome} />
              </td>
              <td class="o1 wide">
                <a
                  class="name evt clip"
                  href={link({ open: each.deliveryId })}
                  data-tip={tip(each.eventName)}
                >
                  {each.eventName}
                </a>
                {each.mark && <span class="tag">{each.mark}</span>}
              </td>
              {props.nameOf && (
                <td class="c-hook wide">
                  <Name text={props.nameOf(each.webhookId)} />
                </td>
              )}
              <td class="hide">
                <Attempts delivery={each} />
              </td>
              <td class="hide ink2">{answered(each)}</td>
              <td class="num hide">{milliseconds(last?.latencyMs)}</td>
              <td class="num ink2">
                <When at={each.occurredAt} fine />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** A text that does not fit is shown whole on hover and focus. */
const tip = (text: string) => (text.length > FITTING ? text : undefined);

function Name({ text }: { text: string }) {
  return (
    <span class="ink2 clip" data-tip={tip(text)}>
      {text}
    </span>
  );
}

function Attempts({ delivery }: { delivery: Delivery }) {
  if (!delivery.attemptCount) return <span class="meta">none</span>;
  return (
    <span class="pips" role="img" aria-label={plural(delivery.attemptCount, "attempt")}>
      <span class="num">{delivery.attemptCount}</span>
      {delivery.attempts.slice(-5).map((attempt) => {
        const good = isTaken(delivery, attempt);
        return (
          <span key={attempt.number} class={`k-${good ? "ok" : "bad"}`}>
            <Icon name={good ? "check" : "x"} />
          </span>
        );
      })}
    </span>
  );
}
