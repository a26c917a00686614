/** The filters above a list of deliveries. Each is in the address. */
import { useState } from "preact/hooks";
import { Icon } from "../../parts/icons";
import { Input, KINDS, Select } from "../../parts/ui";
import { WebhookPicker } from "../../parts/webhook_picker";
import { useEventNames } from "../../state/catalogue";
import { loadCounts } from "../../state/counts";
import { useLoad } from "../../state/load";
import { address, go, link } from "../../state/router";
import { inScope, type Session } from "../../state/session";
import type { CommunityHealth, Delivery } from "../../state/types";
import { HOUR, number } from "../../text/format";
import { fromLocal, toLocal } from "../../text/local_time";
import { ALL, type Filter, TIMES, UNDELIVERED } from "./delivery_filter";

const DELIVERY_ID = /^[0-9a-f]{24}-[0-9a-f]{12}-[0-9a-f]{32}$/;
const COUNTED = 10_000; // the API counts no further
const MINUTE_MS = 60_000;

export function DeliveryFilters(props: { session: Session; filter: Filter; rows: Delivery[] }) {
  const { session, filter } = props;
  const choose = (webhook: string) => {
    const isKept = webhook || UNDELIVERED.some((each) => each === filter.outcome);
    go(link({ webhook, open: "", ...(!isKept && { outcome: "" }) }));
  };
  return (
    <>
      <div class="bar filters">
        <Search rows={props.rows} />
        <WebhookPicker
          session={session}
          id="filter-webhook"
          label="Webhook"
          placeholder="Any webhook"
          value={filter.webhook}
          onValue={choose}
        />
        <EventName session={session} value={filter.event} />
        <Select
          id="filter-time"
          label="Time"
          options={TIMES}
          value={filter.time}
          onValue={(time) => go(link(timeQuery(time)))}
        />
      </div>
      {filter.time === "range" && <Range filter={filter} />}
      <Outcomes session={session} filter={filter} />
    </>
  );
}

function timeQuery(time: string): Record<string, string> {
  if (time !== "range") return { time, since: "", until: "" };
  return { time: "", since: new Date(Date.now() - HOUR).toISOString(), until: "" };
}

/** A delivery's id opens it; the log has no index of events, so an event's id is explained. */
function Search({ rows }: { rows: Delivery[] }) {
  const [text, type] = useState("");
  const id = text.trim();
  const search = () => {
    if (!id) return;
    type("");
    if (DELIVERY_ID.test(id)) return go(link({ open: id }));
    const known = rows.find((each) => each.eventId === id);
    go(address(["explain"], { event: id, name: known?.eventName, at: known?.occurredAt }));
  };
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        search();
      }}
    >
      <Icon name="search" />
      <Input
        id="search"
        label="Search by delivery id or event id"
        placeholder="Delivery id or event id"
        value={text}
        onValue={type}
        describedBy={id ? "search-hint" : undefined}
        isSearch
      />
      <kbd>/</kbd>
      {id && (
        <p class="hint" id="search-hint">
          {DELIVERY_ID.test(id) ? "Enter opens this delivery" : "Enter explains the event with this id"}
        </p>
      )}
    </form>
  );
}

/** A name is asked for when it is whole: with Enter, when it is chosen, or when the field is left. */
function EventName({ session, value }: { session: Session; value: string }) {
  const [isUsed, use] = useState(false);
  return (
    <>
      <input
        key={value}
        id="filter-event"
        class="input"
        aria-label="Event name"
        placeholder="Any event"
        list="filter-events"
        autocomplete="off"
        spellcheck={false}
        defaultValue={value}
        onFocus={() => use(true)}
        onChange={(event) => go(link({ event: event.currentTarget.value.trim() }))}
      />
      <datalist id="filter-events">{isUsed && <EventNames session={session} />}</datalist>
    </>
  );
}

/** Loads names where none is known: not before a person goes to the field. */
function EventNames({ session }: { session: Session }) {
  return (
    <>
      {useEventNames(session).map((each) => (
        <option key={each} value={each} />
      ))}
    </>
  );
}

function Range({ filter }: { filter: Filter }) {
  const change = (name: "since" | "until", value: string) => {
    const at = fromLocal(value);
    // The last minute is meant with all its seconds.
    const exact = at === undefined ? undefined : name === "until" ? at + MINUTE_MS - 1 : at;
    go(link({ time: "range", [name]: exact === undefined ? "" : new Date(exact).toISOString() }));
  };
  const field = (name: "since" | "until", label: string) => (
    <label class="row tight nw">
      <span class="meta">{label}</span>
      <input
        class="input"
        type="datetime-local"
        value={filter[name] === undefined ? "" : toLocal(filter[name])}
        onChange={(event) => change(name, event.currentTarget.value)}
      />
    </label>
  );
  return (
    <div class="row range">
      {field("since", "From")}
      {field("until", "To")}
    </div>
  );
}

/** With the community's counts, which no filter narrows. */
function Outcomes({ session, filter }: { session: Session; filter: Filter }) {
  const path = inScope(session.scope, "health");
  const { data } = useLoad(
    async (signal) => (filter.webhook ? undefined : loadCounts(session, signal)),
    [path, Boolean(filter.webhook)],
    { everyMs: MINUTE_MS },
  );
  return (
    <div class="row" role="group" aria-label="Outcome">
      {(filter.webhook ? ALL : UNDELIVERED).map((each) => {
        const { tone, icon, word } = KINDS[each];
        const isOn = filter.outcome === each;
        const count = data?.undelivered[each as keyof CommunityHealth["undelivered"]];
        return (
          <button
            type="button"
            key={each}
            class="chip"
            aria-pressed={isOn}
            onClick={() => go(link({ outcome: isOn ? "" : each }))}
          >
            <span class={`pill k-${tone}`}>
              <Icon name={icon} />
            </span>
            {word}
            {count !== undefined && (
              <b>{count >= COUNTED && !data?.isExact ? `${number(COUNTED)}+` : number(count)}</b>
            )}
          </button>
        );
      })}
    </div>
  );
}
