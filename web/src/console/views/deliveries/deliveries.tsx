/** Deliveries: the undelivered of all webhooks, or all of one. */
import type { ViewProps } from "../../app";
import { Patterns } from "../../charts/patterns";
import { DeliveryDrawer } from "../../delivery/delivery_drawer";
import { DeliveryTable } from "../../delivery/delivery_table";
import { Trouble } from "../../parts/trouble";
import { Button, Countdown, Head, Note, SkeletonRows } from "../../parts/ui";
import { ReplayDialog, RunningReplays } from "../../replay/replay_dialog";
import { askOnce } from "../../state/catalogue";
import { useKnownCounts } from "../../state/counts";
import { nameOf, useNames } from "../../state/names";
import { address, go, link, replace, useRoute } from "../../state/router";
import type { Session } from "../../state/session";
import { type Filter, filterOf, isFiltered, timeText } from "./delivery_filter";
import { DeliveryFilters } from "./delivery_filters";
import { type DeliveryList, useDeliveries } from "./delivery_list";
import { Histogram } from "./histogram";

const SAID_EVERY = 10;

export function Deliveries({ session }: ViewProps) {
  const { query } = useRoute();
  const filter = filterOf(query);
  const isTailOn = query.tail === "1";
  const list = useDeliveries(session, filter, isTailOn && !query.open && !query.dialog);
  const rows = list.pages?.rows ?? [];
  const ids = [filter.webhook, ...rows.map((each) => each.webhookId)].filter(Boolean);
  const name = useNames(session, ids, () => askOnce(session));
  const said = Math.floor(list.arrived / SAID_EVERY) * SAID_EVERY;
  return (
    <>
      <Head title="Deliveries" sub={<Scope filter={filter} />}>
        <label class="switch">
          <input
            type="checkbox"
            role="switch"
            checked={isTailOn}
            aria-checked={isTailOn}
            onChange={(event) => replace(link({ tail: event.currentTarget.checked ? "1" : "" }))}
          />
          Live tail
        </label>
        <Button icon="retry" href={link({ dialog: "replay" })}>
          Replay…
        </Button>
      </Head>
      <Patterns />
      <RunningReplays session={session} />
      <DeliveryFilters session={session} filter={filter} rows={rows} />
      <p class="vh" aria-live="polite">
        {said > 0 && `${said} new deliveries`}
      </p>
      {list.tailError && (
        <Note tone="warn" icon="clock">
          {list.tailError.message} The live tail tries again by itself.
        </Note>
      )}
      <Content session={session} list={list} filter={filter} nameOf={name} />
      <DeliveryDrawer session={session} id={query.open} nameOf={name} />
      {query.dialog === "replay" && <ReplayDialog session={session} onClose={() => go(link({}))} />}
    </>
  );
}

function Scope({ filter }: { filter: Filter }) {
  if (!filter.webhook)
    return (
      <>Retrying, dead and held deliveries of all webhooks. Choose a webhook to see its delivered ones too.</>
    );
  return (
    <>
      All deliveries of <a href={address(["webhooks", filter.webhook])}>{nameOf(filter.webhook)}</a>, newest
      first.
    </>
  );
}

function Content(props: {
  session: Session;
  list: DeliveryList;
  filter: Filter;
  nameOf: (webhookId: string) => string;
}) {
  const { list, filter } = props;
  const { pages, first } = list;
  if (first.error && !list.isCurrent)
    return (
      <Trouble
        error={first.error}
        title={first.error.status === 404 ? "Webhook not found" : undefined}
        retryAt={first.retryAt}
        onRetry={first.reload}
      >
        {first.error.status < 500 && first.error.status >= 400 && first.error.status !== 401 && (
          <Button href="#/deliveries">Clear filters</Button>
        )}
      </Trouble>
    );
  if (!pages) return <Loading />;
  const { rows } = pages;
  return (
    <>
      {first.error && (
        <Note tone="warn" icon="clock">
          {first.error.message} The list shows the rows that it has
          {first.retryAt ? (
            <>
              , and is loaded again in <Countdown until={first.retryAt} />
            </>
          ) : null}
          .
        </Note>
      )}
      {rows.length > 0 && (
        <>
          <div class="bar">
            <Histogram
              deliveries={rows}
              onSelect={(since, until) =>
                go(
                  link({
                    time: "",
                    since: new Date(since).toISOString(),
                    until: new Date(until).toISOString(),
                  }),
                )
              }
            />
          </div>
          <DeliveryTable
            deliveries={rows}
            nameOf={filter.webhook ? undefined : props.nameOf}
            isFresh={(each) => list.fresh.has(each.deliveryId)}
          />
        </>
      )}
      {!rows.length && <Empty session={props.session} filter={filter} hasMore={Boolean(pages.cursor)} />}
      <Pager list={list} />
    </>
  );
}

function Loading() {
  return (
    <>
      <div class="vh" role="status">
        Loading deliveries
      </div>
      <div class="clip">
        <table class="tbl" aria-hidden="true">
          <tbody>
            <SkeletonRows columns={["w1", "w2", "w3", "w1", "w2", "w1"]} count={12} />
          </tbody>
        </table>
      </div>
    </>
  );
}

function Empty({ session, filter, hasMore }: { session: Session; filter: Filter; hasMore: boolean }) {
  const counts = useKnownCounts(session, "deliveries");
  if (counts?.webhooks.total === 0)
    return (
      <div class="empty">
        <h2>No deliveries yet</h2>
        <p>Events are delivered to webhooks, and this community has none.</p>
        <Button look="primary" icon="plus" href="#/webhooks/new">
          Create webhook
        </Button>
      </div>
    );
  if (hasMore)
    return (
      <div class="empty">
        <h2>Nothing found so far</h2>
        <p>The newest deliveries do not fit. Older ones may.</p>
      </div>
    );
  const kind = filter.outcome || (filter.webhook ? "" : "undelivered");
  const title = ["No", kind, "deliveries", filter.event && `of ${filter.event}`, timeText(filter)];
  return (
    <div class="empty">
      <h2>{title.filter(Boolean).join(" ")}</h2>
      <p>{emptyText(filter)}</p>
      {isFiltered(filter) && (
        <Button href={address(["deliveries"], { webhook: filter.webhook })}>Clear filters</Button>
      )}
    </div>
  );
}

function emptyText(filter: Filter): string {
  if (filter.outcome === "dead")
    return "Every delivery was answered with a success code, or is still being retried or held.";
  if (isFiltered(filter)) return "Choose a longer time, or another filter.";
  if (filter.webhook) return "Send a test event from the webhook, or publish an event that it listens to.";
  return "Every delivery was answered with a success code. Choose a webhook to see its deliveries.";
}

function Pager({ list }: { list: DeliveryList }) {
  const { rows, cursor } = list.pages!;
  if (!rows.length && !cursor) return null;
  return (
    <>
      {list.olderError && (
        <Note tone="bad" icon="tri">
          {list.olderError.message}
        </Note>
      )}
      <div class="pager">
        <span role="status">
          {rows.length ? `Newest first, ${rows.length.toLocaleString("en")} shown` : "None shown"}
          {!cursor && rows.length > 0 && ", all there are"}
        </span>
        {cursor && (
          <Button look="sm push" busy={list.isOlderLoading && "Loading"} onClick={list.older}>
            {rows.length ? "Older" : "Search on"}
          </Button>
        )}
      </div>
    </>
  );
}
