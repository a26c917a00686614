/** The community's webhooks, newest first, with the outcomes of their last deliveries. */
import { useEffect } from "preact/hooks";
import type { ApiError } from "../../../shared/client";
import type { ViewProps } from "../../app";
import { Pager } from "../../parts/pager";
import { Trouble } from "../../parts/trouble";
import { Button, Countdown, Head, Note } from "../../parts/ui";
import { useRoute } from "../../state/router";
import { askAgain } from "../../state/session";
import { number } from "../../text/format";
import { NothingMatches, NoWebhooks, PastTheEnd } from "./webhook_empty";
import { FilterBar, StateTabs } from "./webhook_filters";
import {
  isFiltered,
  knownTags,
  type ListHealth,
  type ListQuery,
  listQuery,
  type ShownPage,
  SIZES,
  useCounts,
  useHealth,
  usePage,
} from "./webhook_list";
import { WebhookSkeleton, WebhookTable } from "./webhook_table";

export function Webhooks({ session }: ViewProps) {
  const query = listQuery(useRoute().query);
  const list = usePage(session, query);
  const { data, error, isOld } = list;
  const health = useHealth(session, data);
  const isEmpty = data?.page.total === 0 && !isOld && !isFiltered(query);
  const counts = useCounts(session, data !== undefined && !isEmpty);

  const field = error?.status === 400 ? wrongField(error) : undefined;
  const isTrouble = error !== undefined && (!data || isOld);
  const shown = isTrouble ? "trouble" : isEmpty ? "empty" : data ? "list" : "loading";
  useFocus(shown);
  return (
    <>
      <Head title="Webhooks">
        <Button look="primary" icon="plus" href="#/webhooks/new">
          Create webhook
        </Button>
      </Head>
      {!isEmpty && (!isTrouble || data || isFiltered(query)) && (
        <>
          <StateTabs query={query} counts={counts} />
          <FilterBar
            query={query}
            tags={knownTags(session, data)}
            error={field}
            status={shown === "list" ? status(data, isOld) : ""}
          />
        </>
      )}
      {isTrouble && !field && <Trouble error={error} retryAt={list.retryAt} onRetry={list.reload} />}
      {error && !isTrouble && (
        <StaleNote error={error} subject="The list" retryAt={list.retryAt} onRetry={list.reload} />
      )}
      {shown === "loading" && <WebhookSkeleton />}
      {shown === "empty" && <NoWebhooks scope={session.scope} />}
      {shown === "list" && data && <Rows page={data} wanted={query} health={health} isBusy={isOld} />}
    </>
  );
}

function Rows(props: { page: ShownPage; wanted: ListQuery; health: ListHealth; isBusy: boolean }) {
  const { wanted, health } = props;
  const { data, page, query } = props.page;
  const first = (query.page - 1) * query.size + 1;
  const isExact = page.isExact !== false;
  if (!data.length && page.total > 0) return <PastTheEnd query={query} total={page.total} />;
  if (!data.length) return <NothingMatches query={query} isExact={isExact} />;
  return (
    <>
      {health.error && (
        <StaleNote
          error={health.error}
          subject="The health of these webhooks"
          retryAt={health.retryAt}
          onRetry={health.reload}
        />
      )}
      {page.size < query.size && (
        <Note icon="filter">
          Only {number(data.length)} of this page’s webhooks fit into one response: they are large. Choose
          fewer rows to see all.
        </Note>
      )}
      <WebhookTable
        webhooks={data}
        healthOf={health.of}
        isHealthFailed={health.error !== undefined}
        isBusy={props.isBusy}
      />
      <Pager
        page={wanted.page}
        size={wanted.size}
        sizes={SIZES}
        first={first}
        last={first + data.length - 1}
        total={page.total}
        isExact={isExact}
      />
      <p class="meta">
        In the strip, height is duration (log scale, 10 ms to 5 s). A mark below the line is a delivery that
        was retried, held, skipped or dead.
      </p>
    </>
  );
}

/** The rows that are shown stay, and may be old. */
function StaleNote(props: { error: ApiError; subject: string; retryAt?: number; onRetry: () => void }) {
  const { error, retryAt } = props;
  const action =
    error.status === 401 ? (
      <Button look="sm" onClick={askAgain}>
        Connect again
      </Button>
    ) : (
      <Button look="sm" onClick={props.onRetry}>
        Try again now
      </Button>
    );
  return (
    <Note tone="bad" icon="tri" actions={action}>
      <b>{props.subject} could not be loaded.</b> {error.message}
      {retryAt && (
        <>
          {" "}
          The page tries again by itself in <Countdown until={retryAt} />.
        </>
      )}
      {error.requestId && <span class="meta"> Request {error.requestId}</span>}
    </Note>
  );
}

/** How many were found, in the place that is read out when it changes. */
function status(page: ShownPage | undefined, isOld: boolean): string {
  if (!page || isOld) return "Loading";
  if (!isFiltered(page.query)) return "Newest first";
  return `${page.page.isExact === false ? "At least " : ""}${number(page.page.total)} found`;
}

function wrongField(error: ApiError) {
  const field = /^(name|tags)\b/.exec(error.message)?.[1];
  return field ? { field: field as "name" | "tags", text: error.message } : undefined;
}

/** Give the focus to the heading where the element that had it is gone, such as the button that tried again. */
function useFocus(shown: string): void {
  useEffect(() => {
    if (document.activeElement === document.body)
      document.querySelector("h1")?.focus({ preventScroll: true });
  }, [shown]);
}
