/** The list of webhooks without rows: there are none, none fits, or the page lies past the end. */

import { Button, KINDS } from "../../parts/ui";
import { link } from "../../state/router";
import type { Scope } from "../../state/session";
import { number, plural } from "../../text/format";
import type { ListQuery } from "./webhook_list";

export function NoWebhooks({ scope }: { scope: Scope }) {
  return (
    <div class="empty">
      <svg class="strip" viewBox="0 0 200 26" aria-hidden="true">
        <path class="s-base" stroke-dasharray="2 2" d="M0 18.5h200" />
      </svg>
      <h2>
        No webhooks in {scope.tenant} / {scope.community} yet
      </h2>
      <p>
        A webhook sends every event you choose to an HTTPS endpoint of yours, signed, and tries again when the
        endpoint does not answer.
      </p>
      <ol class="steps">
        <li>
          <div>
            <h3>Create a webhook</h3>
            <p>Name the events and the URL. You get the signing secret.</p>
          </div>
          <Button look="primary sm" href="#/webhooks/new">
            Create webhook
          </Button>
        </li>
        <li>
          <div>
            <h3>Send a test event</h3>
            <p>See the status, the timing and the response at once.</p>
          </div>
        </li>
        <li>
          <div>
            <h3>Publish an event</h3>
            <p>From your code, or from the event catalogue.</p>
          </div>
          <Button look="sm" href="#/events">
            Event catalogue
          </Button>
        </li>
      </ol>
    </div>
  );
}

export function NothingMatches({ query, isExact }: { query: ListQuery; isExact: boolean }) {
  const wanted = [
    query.state && `is ${KINDS[query.state].word.toLowerCase()}`,
    query.name && `has a name that begins with “${query.name}”`,
    query.tag && `has the tag “${query.tag}”`,
  ].filter(Boolean);
  return (
    <div class="empty">
      <h2>No webhook matches</h2>
      <p class="long">
        No webhook {wanted.join(" and ")}.{query.name && " Upper and lower case differ."}
        {!isExact && " Only the newest webhooks were looked at: the community has more."}
      </p>
      <Button href="#/webhooks" onClick={searchNext}>
        Clear filters
      </Button>
    </div>
  );
}

/** The button goes with the filters: the search takes the focus, once it is empty for what is typed next. */
const searchNext = () =>
  addEventListener("hashchange", () => document.getElementById("search")?.focus(), { once: true });

export function PastTheEnd({ query, total }: { query: ListQuery; total: number }) {
  const pages = Math.ceil(total / query.size);
  return (
    <div class="empty">
      <h2>There is no page {number(query.page)}</h2>
      <p>The list has {plural(pages, "page")}.</p>
      <Button href={link({ page: pages === 1 ? "" : String(pages) })}>Go to the last page</Button>
    </div>
  );
}
