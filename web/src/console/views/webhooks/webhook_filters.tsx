/** Which webhooks the list shows: by state, by how their names begin, by tag. */

import { Icon } from "../../parts/icons";
import { useDraft } from "../../parts/typing";
import { FieldError, Input, KINDS } from "../../parts/ui";
import { link, replace } from "../../state/router";
import type { CommunityHealth, State } from "../../state/types";
import { number } from "../../text/format";
import { FILTERS, type ListQuery } from "./webhook_list";

/** The states with their counts. The API finds none by "healthy": it is a number, not a choice. */
export function StateTabs({ query, counts }: { query: ListQuery; counts?: CommunityHealth }) {
  const choice = (state?: (typeof FILTERS)[number]) => (
    <a
      key={state ?? "all"}
      href={link({ f: state, page: "" })}
      aria-current={state === query.state ? "true" : undefined}
    >
      {state ? <StateName state={state} /> : "All"}
      <Count value={counts?.webhooks[state ?? "total"]} bound={state && bound(counts, "at least")} />
    </a>
  );
  return (
    <div class="tabs" role="group" aria-label="State">
      {choice()}
      <span class="fixed">
        <StateName state="healthy" />
        <Count value={counts?.webhooks.healthy} bound={bound(counts, "at most")} />
      </span>
      {FILTERS.map(choice)}
    </div>
  );
}

function StateName({ state }: { state: State }) {
  const { tone, icon, word } = KINDS[state];
  return (
    <>
      <span class={`k-${tone} pill`}>
        <Icon name={icon} />
      </span>
      {word}
    </>
  );
}

const bound = (counts: CommunityHealth | undefined, word: string) => (counts?.isExact === false ? word : "");

function Count({ value, bound }: { value?: number; bound?: string }) {
  if (value === undefined) return null;
  return (
    <span class="meta">
      {bound && value > 0 && `${bound} `}
      {number(value)}
    </span>
  );
}

export function FilterBar(props: {
  query: ListQuery;
  tags: string[];
  /** The API's sentence about the name or the tag. */
  error?: { field: "name" | "tags"; text: string };
  status: string;
}) {
  const { query, tags, error } = props;
  const name = useDraft(query.name, (text) => replace(link({ text, page: "" })));
  const tag = useDraft(query.tag, (text) => replace(link({ tag: text, page: "" })));
  const wrong = (field: "name" | "tags") => (error?.field === field ? error.text : undefined);
  return (
    <>
      <div class="bar">
        <div class="search">
          <Icon name="search" />
          <label class="vh" for="search">
            Name begins with
          </label>
          <Input
            id="search"
            value={name.text}
            placeholder="Name begins with"
            error={wrong("name")}
            onValue={name.type}
            onCommit={name.settle}
            isSearch
          />
          <kbd>/</kbd>
        </div>
        <label class="vh" for="tag">
          Tag
        </label>
        <Input
          id="tag"
          look="w-s"
          value={tag.text}
          placeholder="Any tag"
          list="tags"
          error={wrong("tags")}
          // A tag is whole or none: half of one finds nothing, so only Enter or leaving the field uses it.
          onValue={(text) => (text === "" || tags.includes(text) ? tag.settle(text) : tag.edit(text))}
          onCommit={tag.settle}
        />
        <datalist id="tags">
          {tags.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
        <span class="meta push" role="status">
          {props.status}
        </span>
      </div>
      <FieldError id="search" text={wrong("name")} />
      <FieldError id="tag" text={wrong("tags")} />
    </>
  );
}
