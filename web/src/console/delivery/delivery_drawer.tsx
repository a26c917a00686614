/** One delivery beside the list that it was opened from: its story, attempts, request and response. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../parts/icons";
import { Tabs } from "../parts/tabs";
import { Trouble } from "../parts/trouble";
import { Button, Copy, IconButton, lookOf, Pill, When } from "../parts/ui";
import { move } from "../shell/keyboard";
import { useLoad } from "../state/load";
import { useNames } from "../state/names";
import { address, go, link } from "../state/router";
import { inScope, type Session } from "../state/session";
import type { Delivery } from "../state/types";
import { utc } from "../text/format";
import { DeliveryActions } from "./delivery_actions";
import { PayloadPane, RequestPane, ResponsePane } from "./delivery_panes";
import { storyOf } from "./delivery_story";
import { learnDelivery, listed } from "./delivery_table";
import { readShown, type Shown } from "./shown_delivery";
import { Waterfall } from "./waterfall";

interface DrawerProps {
  session: Session;
  id: string | undefined;
  nameOf: (webhookId: string) => string;
}

/** Nothing without an id. Closing gives the focus back to the delivery's row. */
export function DeliveryDrawer({ session, id, nameOf }: DrawerProps) {
  const before = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (!id && before.current) focusRow(before.current);
    before.current = id;
  }, [id]);
  return id ? <Drawer session={session} id={id} nameOf={nameOf} /> : null;
}

function focusRow(id: string) {
  const row = document.querySelector(`tr[data-delivery="${CSS.escape(id)}"] a`);
  ((row ?? document.querySelector("h1")) as HTMLElement | null)?.focus();
}

function Drawer({ session, id, nameOf }: DrawerProps & { id: string }) {
  const ref = useRef<HTMLElement>(null);
  useEffect(() => {
    // After the view's heading has taken the focus.
    const timer = setTimeout(() => {
      const drawer = ref.current;
      if (drawer && !drawer.contains(document.activeElement) && !document.querySelector("dialog"))
        drawer.focus({ preventScroll: true });
    });
    return () => clearTimeout(timer);
  }, [id]);
  return (
    <section class="drawer" role="dialog" aria-label="Delivery" tabIndex={-1} ref={ref}>
      <Content key={id} session={session} id={id} nameOf={nameOf} />
    </section>
  );
}

const SOON_MS = 3000;

function Content({ session, id, nameOf }: DrawerProps & { id: string }) {
  const path = inScope(session.scope, "delivery", id);
  const { data, error, retryAt, reload } = useLoad(
    async (signal) => {
      const shown = readShown((await session.client.response("GET", path, undefined, signal)).text);
      learnDelivery(shown.delivery);
      return shown;
    },
    [path],
  );
  const delivery = data?.delivery ?? listed(id);
  const next = data?.delivery.nextAttemptAt;
  useEffect(() => {
    if (data?.delivery.outcome !== "retrying") return;
    // Its answer takes a while after the attempt's time.
    const left = next ? Date.parse(next) - Date.now() : 0;
    const wait = SOON_MS + Math.max(0, left || 0); // a time that is none: soon
    const timer = setTimeout(reload, Math.min(wait, 0x7fffffff));
    return () => clearTimeout(timer);
  }, [data]);

  return (
    <>
      <header class="dh">
        <div class="row nw">
          <h2 class="evt clip">{delivery?.eventName ?? "Delivery"}</h2>
          {delivery && <Pill kind={delivery.outcome} />}
          {delivery?.mark && <span class="tag">{delivery.mark}</span>}
          <span class="push row tight nw">
            <IconButton icon="up" label="Previous delivery (k)" onClick={() => move(-1)} />
            <IconButton icon="down" label="Next delivery (j)" onClick={() => move(1)} />
            <IconButton icon="x" label="Close (Esc)" onClick={() => go(link({ open: "" }))} />
          </span>
        </div>
        <div class="row nw meta">
          <span class="mono clip">{id}</span>
          <Copy text={id} what="delivery id" />
        </div>
      </header>
      <div class="in">
        {error && !data ? (
          <Missing error={error} retryAt={retryAt} reload={reload} />
        ) : (
          delivery && (
            <Body
              session={session}
              shown={data ?? { delivery }}
              isWhole={Boolean(data)}
              nameOf={nameOf}
              onChanged={reload}
            />
          )
        )}
      </div>
    </>
  );
}

function Missing(props: {
  error: Parameters<typeof Trouble>[0]["error"];
  retryAt?: number;
  reload: () => void;
}) {
  const { error } = props;
  if (error.status !== 404) return <Trouble error={error} retryAt={props.retryAt} onRetry={props.reload} />;
  return (
    <div class="empty" role="alert">
      <h2>Delivery not found</h2>
      <p>It does not exist, its time in the log is over, or it belongs to another community.</p>
      {error.requestId && <p class="meta">Request {error.requestId}</p>}
      <Button onClick={() => go(link({ open: "" }))}>Close</Button>
    </div>
  );
}

const TABS = [
  ["response", "Response"],
  ["payload", "Payload"],
  ["request", "Request headers"],
] as const;

function Body(props: {
  session: Session;
  shown: Shown;
  /** Whether payload and headers are loaded: a row of the list has neither. */
  isWhole: boolean;
  nameOf: (webhookId: string) => string;
  onChanged: () => void;
}) {
  const { session, isWhole } = props;
  const { delivery, payload } = props.shown;
  const { attempts, outcome } = delivery;
  const [chosen, choose] = useState<number>();
  const [tab, show] = useState<(typeof TABS)[number][0]>(
    outcome === "delivered" || !attempts.length ? "payload" : "response",
  );
  const attempt = attempts.find((each) => each.number === chosen) ?? attempts.at(-1);
  const { tone, icon } = lookOf(outcome);
  const story = storyOf(delivery);
  const name = props.nameOf(delivery.webhookId);
  // It may be of a webhook that the view has not loaded.
  const learned = useNames(session, name === delivery.webhookId ? [name] : []);
  return (
    <>
      <div class={`note k-${tone}`}>
        <Icon name={icon} />
        <div>
          <b>{story.happened}</b> {story.follows}
        </div>
      </div>
      <DeliveryActions
        session={session}
        shown={props.shown}
        isWhole={isWhole}
        attempt={attempt}
        onChanged={props.onChanged}
      />
      <Facts delivery={delivery} name={name === delivery.webhookId ? learned(name) : name} />
      {attempts.length > 0 && (
        <Waterfall delivery={delivery} selected={attempt?.number ?? 0} onSelect={choose} />
      )}
      <section class="stack">
        <Tabs label="Delivery" tabs={TABS} value={tab} onChange={show}>
          {tab === "response" && <ResponsePane delivery={delivery} attempt={attempt} />}
          {tab === "payload" &&
            (isWhole ? <PayloadPane delivery={delivery} payload={payload} /> : <p class="meta">Loading</p>)}
          {tab === "request" && <RequestPane session={session} delivery={delivery} attempt={attempt} />}
        </Tabs>
      </section>
    </>
  );
}

function Facts({ delivery, name }: { delivery: Delivery; name: string }) {
  const time = (at: string) => (
    <>
      <When at={at} fine /> <span class="meta">{utc(Date.parse(at))}</span>
    </>
  );
  return (
    <dl class="kv">
      <dt>Webhook</dt>
      <dd>
        <a href={address(["webhooks", delivery.webhookId])}>{name}</a>
      </dd>
      <dt>Event</dt>
      <dd class="row tight nw">
        <span class="mono">{delivery.eventId}</span>
        <Copy text={delivery.eventId} what="event id" />
      </dd>
      <dt>Happened</dt>
      <dd>{Date.parse(delivery.occurredAt) ? time(delivery.occurredAt) : "The event has no time."}</dd>
      <dt>{lookOf(delivery.outcome).word}</dt>
      <dd>{time(delivery.settledAt)}</dd>
    </dl>
  );
}
