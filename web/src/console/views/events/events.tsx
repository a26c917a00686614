/** The event catalogue: names that webhooks listen to, with the samples that ship with the service. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ViewProps } from "../../app";
import { Icon } from "../../parts/icons";
import { Trouble } from "../../parts/trouble";
import { Button, Copy, Countdown, Head, Input, Note, SkeletonRows } from "../../parts/ui";
import {
  type Listened,
  type Listener,
  listenedBy,
  listenerOf,
  loadPage,
  PAGE_SIZE,
} from "../../state/catalogue";
import { useLoad } from "../../state/load";
import { address, go, link, replace, useRoute } from "../../state/router";
import { samplesFor } from "../../state/samples";
import type { Session } from "../../state/session";
import { number, plural } from "../../text/format";
import { EventCard } from "./event_card";
import { PublishDialog } from "./publish_dialog";
import type { Accepted } from "./publishing";

/** Pages that one press reads: 1,000 webhooks, one request after the other. */
const BATCH = 10;
const SHOWN = 300;

/** The webhooks that were read, of how many. */
export interface ReadWebhooks {
  read: number;
  total: number;
  listened: Listened[];
}

export function Events({ session }: ViewProps) {
  const { query } = useRoute();
  const [wanted, want] = useState(1);
  const [accepted, setAccepted] = useState<Accepted>();
  const { data, error, retryAt, isLoading, reload } = useWebhooks(session, wanted);
  const samples = samplesFor(session.scope);
  const words = (query.q ?? "").toLowerCase();
  const entries = data ? [...data.listened, ...unheard(data.listened, samples)] : [];
  const found = entries.filter((each) => each.name.toLowerCase().includes(words));
  const chosen = query.e || found[0]?.name || samples[0]!.name;
  const entry = entries.find((each) => each.name === chosen) ?? { name: chosen, listeners: [], fields: [] };
  const isFirst = useRef(true);
  useEffect(() => {
    // In one column the card is below the list.
    const card = document.getElementById("event-card");
    const isBelow = card && card.getBoundingClientRect().top > innerHeight * 0.6;
    if (!isFirst.current && query.e && isBelow) card.scrollIntoView();
    isFirst.current = false;
  }, [query.e]);

  const { tenant, community } = session.scope;
  return (
    <>
      <Head
        title="Event catalogue"
        sub={`Names that webhooks in ${tenant} / ${community} listen to, and the samples that ship with the service.`}
      />
      {error && !data ? (
        <Trouble error={error} retryAt={retryAt} onRetry={reload} />
      ) : (
        <div class="cat">
          <section aria-label="Names">
            <div class="search">
              <Icon name="search" />
              <label class="vh" for="q">
                Search names
              </label>
              <Input
                id="q"
                value={query.q ?? ""}
                placeholder="Search names"
                isSearch
                onValue={(q) => replace(link({ q }))}
              />
              <kbd>/</kbd>
            </div>
            <div class="bar" />
            {data && !found.length ? (
              <div class="empty">
                <p>No name fits.</p>
                <Button onClick={() => replace(link({ q: "" }))}>Clear search</Button>
              </div>
            ) : (
              <Names entries={found} chosen={chosen} isLoading={!data} />
            )}
            {data && <Read data={data} isLoading={isLoading} onMore={() => want(wanted + BATCH)} />}
            {error && !isLoading && (
              <Note
                tone="bad"
                icon="tri"
                actions={
                  <Button look="sm" onClick={reload}>
                    Try again now
                  </Button>
                }
              >
                {error.message} {retryAt && <Countdown until={retryAt} />}
              </Note>
            )}
          </section>
          {data && (
            <div class="stack sticky">
              {accepted && <AcceptedNote event={accepted} />}
              <EventCard session={session} entry={entry} data={data} />
            </div>
          )}
        </div>
      )}
      {query.dialog === "publish" && (
        <PublishDialog
          session={session}
          name={chosen}
          data={data}
          onClose={() => go(link({}))}
          onAccepted={(event) => {
            setAccepted(event);
            go(link({}));
          }}
        />
      )}
    </>
  );
}

/** Where the event that was published can be followed. */
function AcceptedNote({ event }: { event: Accepted }) {
  const { name, eventId, at } = event;
  return (
    <Note tone="ok" icon="ok">
      <b>Event accepted.</b> <span class="evt wrap">{name}</span> with the id{" "}
      <span class="mono wrap">{eventId}</span> <Copy text={eventId} what="event id" />
      <div class="row">
        <Button look="sm" href={address(["explain"], { event: eventId, name, at })}>
          Explain event
        </Button>
        <Button look="sm" href={address(["deliveries"], { event: name })}>
          Show deliveries
        </Button>
      </div>
    </Note>
  );
}

/** Read pages until `wanted` are there; those that were read stay. */
function useWebhooks(session: Session, wanted: number) {
  const kept = useRef({ pages: 0, total: 0, found: new Map<string, Listener>() });
  return useLoad<ReadWebhooks>(
    async (signal) => {
      const at = kept.current;
      while (at.pages < wanted && (!at.pages || at.pages * PAGE_SIZE < at.total)) {
        const { page, data } = await loadPage(session, at.pages, signal);
        for (const each of data) at.found.set(each._id, listenerOf(each));
        at.total = page.total;
        at.pages += 1;
      }
      const read = at.found.size;
      return { read, total: Math.max(read, at.total), listened: listenedBy(at.found.values()) };
    },
    [session, wanted],
  );
}

/** The samples' names that no webhook lists, as far as webhooks were read. */
function unheard(listened: Listened[], samples: { name: string }[]): Listened[] {
  const names = new Set(listened.map((each) => each.name));
  return samples
    .filter((each) => !names.has(each.name))
    .map(({ name }) => ({ name, listeners: [], fields: [] }));
}

function Names(props: { entries: Listened[]; chosen: string; isLoading: boolean }) {
  const rest = props.entries.length - SHOWN;
  return (
    <>
      <table class="tbl dense">
        <thead>
          <tr>
            <th>Name</th>
            <th class="num">Webhooks</th>
          </tr>
        </thead>
        <tbody>
          {props.isLoading && <SkeletonRows columns={["w2", "w1"]} count={8} />}
          {props.entries.slice(0, SHOWN).map(({ name, listeners }) => (
            <tr
              key={name}
              data-row={link({ e: name })}
              aria-selected={name === props.chosen ? "true" : undefined}
            >
              <td>
                <a class="name evt wrap" href={link({ e: name })} aria-current={name === props.chosen}>
                  {name}
                </a>
                {!listeners.length && <div class="meta">sample, not listened to</div>}
              </td>
              <td class="num">{number(listeners.length)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rest > 0 && <p class="meta">{plural(rest, "more name")}: search for a part of it.</p>}
    </>
  );
}

function Read(props: { data: ReadWebhooks; isLoading: boolean; onMore: () => void }) {
  const { read, total } = props.data;
  if (!total)
    return (
      <Note icon="help">
        No webhook listens yet. <a href="#/webhooks/new">Create a webhook</a> that does.
      </Note>
    );
  if (read >= total) return <p class="meta pager">All {plural(total, "webhook")} read.</p>;
  return (
    <div class="row pager">
      <span class="meta">
        {number(read)} of {plural(total, "webhook")} read, the newest first.
      </span>
      <span class="push">
        <Button look="sm" busy={props.isLoading && "Loading"} onClick={props.onMore}>
          Load more webhooks
        </Button>
      </span>
    </div>
  );
}
