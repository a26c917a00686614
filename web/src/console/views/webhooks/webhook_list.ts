/** The list of webhooks: its query in the address, its page, and the health of the page's webhooks. */
import { useRef } from "preact/hooks";
import type { Client } from "../../../shared/client";
import { remember } from "../../state/catalogue";
import { loadCounts } from "../../state/counts";
import { type Loaded, useLoad } from "../../state/load";
import { inScope, type Session, takeFirstPage } from "../../state/session";
import type { CommunityHealth, State, WebhookHealth, WebhookPage } from "../../state/types";

export const SIZES = ["25", "50", "100"] as const;
const LAST_PAGE = 1_000_000; // the API's index ends beyond
const HEALTH_AT_ONCE = 25; // webhooks in one request, by the API's limit
const REFRESH_MS = 30_000;

/** States that the API finds webhooks by; there is no such index of the healthy ones. */
export const FILTERS = ["failing", "held", "slow", "paused", "disabled"] as const satisfies State[];
export type Filter = (typeof FILTERS)[number];

export interface ListQuery {
  state?: Filter;
  /** Names begin so. */
  name: string;
  tag: string;
  /** From 1. */
  page: number;
  size: number;
}

/** Read the address; a part of it that is wrong counts as left out. */
export function listQuery(given: Record<string, string>): ListQuery {
  const page = /^\d{1,7}$/.test(given.page ?? "") ? Number(given.page) : 1;
  return {
    state: FILTERS.find((each) => each === given.f),
    name: given.text ?? "",
    tag: given.tag ?? "",
    page: Math.min(LAST_PAGE, Math.max(1, page)),
    size: Number(SIZES.find((each) => each === given.size) ?? SIZES[0]),
  };
}

export const isFiltered = ({ state, name, tag }: ListQuery) => Boolean(state || name || tag);

function requestBody({ state, name, tag, page, size }: ListQuery): string {
  return JSON.stringify({
    pIndex: page - 1,
    pSize: size,
    ...(state && { state }),
    ...(name && { name }),
    ...(tag && { tags: [tag] }),
  });
}

const FIRST = requestBody(listQuery({}));

export interface ShownPage extends WebhookPage {
  query: ListQuery;
}

/** Its error is of the present query. */
export interface List extends Loaded<ShownPage> {
  /** The rows are of the query before: those of the present one are on their way. */
  isOld: boolean;
}

/** Load the page of a query, again every 30 s; an earlier query's page stays meanwhile. */
export function usePage(session: Session, query: ListQuery): List {
  const path = inScope(session.scope, "webhooks", "fetch");
  const body = requestBody(query);
  const failed = useRef<string>(undefined);
  const load = async (signal: AbortSignal): Promise<ShownPage> => {
    // The page that came with the connection is the one that the plain list begins with.
    const first = takeFirstPage(session);
    try {
      const page =
        (body === FIRST ? first : undefined) ??
        (await session.client.call<WebhookPage>("POST", path, JSON.parse(body), signal));
      remember(page.data);
      return { ...page, query };
    } catch (failure) {
      if (!signal.aborted) failed.current = body;
      throw failure;
    }
  };
  const { data, error, ...rest } = useLoad(load, [path, body], { everyMs: REFRESH_MS });
  return {
    ...rest,
    data,
    error: failed.current === body ? error : undefined,
    isOld: data !== undefined && requestBody(data.query) !== body,
  };
}

/** A webhook's health; "unknown": it was not asked for yet; "deleted": the API does not have it any more. */
export type RowHealth = WebhookHealth | "unknown" | "deleted";

export interface ListHealth extends Omit<Loaded<Map<string, RowHealth>>, "data"> {
  of: (webhookId: string) => RowHealth;
}

/** Load the health of a page's webhooks once the page is there. */
export function useHealth(session: Session, page: WebhookPage | undefined): ListHealth {
  const path = inScope(session.scope, "webhooks", "health");
  const { data, ...rest } = useLoad(
    async (signal) => {
      const ids = page?.data.map((each) => each._id) ?? [];
      const parts = await Promise.all(
        batches(ids).map((webhookIds) =>
          session.client.call<{ data: WebhookHealth[] }>("POST", path, { webhookIds }, signal),
        ),
      );
      const health = new Map<string, RowHealth>(ids.map((id) => [id, "deleted"]));
      for (const each of parts.flatMap((part) => part.data)) health.set(each.webhookId, each);
      return health;
    },
    [path, page],
  );
  return { ...rest, of: (webhookId) => data?.get(webhookId) ?? "unknown" };
}

function batches(ids: string[]): string[][] {
  return Array.from({ length: Math.ceil(ids.length / HEALTH_AT_ONCE) }, (_, index) =>
    ids.slice(index * HEALTH_AT_ONCE, (index + 1) * HEALTH_AT_ONCE),
  );
}

/** Load the counts of the community's webhooks, if `isWanted`, again every 30 s. */
export function useCounts(session: Session, isWanted: boolean): CommunityHealth | undefined {
  const path = inScope(session.scope, "health");
  const load = async (signal: AbortSignal) => (isWanted ? loadCounts(session, signal) : undefined);
  return useLoad(load, [path, isWanted], { everyMs: isWanted ? REFRESH_MS : undefined }).data;
}

const MOST_TAGS = 200;
const seen = new WeakMap<Client, Map<string, Set<string>>>();

/** Return the tags of the community's webhooks that were loaded so far: the API has no list of them. */
export function knownTags({ client, scope }: Session, page: WebhookPage | undefined): string[] {
  const ofClient = seen.get(client) ?? new Map<string, Set<string>>();
  const community = inScope(scope);
  const tags = ofClient.get(community) ?? new Set<string>();
  seen.set(client, ofClient.set(community, tags));
  for (const tag of page?.data.flatMap((each) => each.tags ?? []) ?? []) {
    if (tags.size < MOST_TAGS) tags.add(tag);
  }
  return [...tags].sort((one, other) => one.localeCompare(other));
}
