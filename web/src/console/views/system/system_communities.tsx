/** The communities that have or had webhooks, each with its health as its row comes into view. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Trouble } from "../../parts/trouble";
import { Button, Pill, SkeletonRows } from "../../parts/ui";
import { pagePath } from "../../shell/scope_dialog";
import { asApiError, useLoad } from "../../state/load";
import { link, useRoute } from "../../state/router";
import { inScope, type Scope, type Session, switchTo } from "../../state/session";
import { inTurn, whenSeen } from "../../state/turns";
import type { Communities, CommunityHealth } from "../../state/types";
import { duration, number } from "../../text/format";

const SIZE = 25;

export function CommunitiesTab({ session }: { session: Session }) {
  const { after } = useRoute().query;
  const { data, error, retryAt, reload } = useLoad(
    (signal) => session.client.call<Communities>("GET", pagePath(after, SIZE), undefined, signal),
    [after],
  );
  if (error) return <Trouble error={error} retryAt={retryAt} onRetry={reload} />;
  if (data && !data.data.length) return after ? <NoMore /> : <NoneYet />;
  return (
    <>
      {!data && (
        <div class="vh" role="status">
          Loading communities
        </div>
      )}
      <section class="scroll" aria-label="Communities">
        <table class="tbl" aria-hidden={!data || undefined}>
          <thead>
            <tr>
              <th>Tenant</th>
              <th>Community</th>
              <th class="num">Webhooks</th>
              <th class="num">Failing</th>
              <th class="num">Retrying</th>
              <th class="num">Held</th>
              <th class="num">Dead</th>
              <th class="num">Oldest waiting</th>
            </tr>
          </thead>
          <tbody>
            {data?.data.map((each) => (
              <Row
                key={`${each.tenantId}/${each.communityId}`}
                session={session}
                scope={{ tenant: each.tenantId, community: each.communityId }}
              />
            ))}
            {!data && <SkeletonRows columns={["w1", "w2", "w1", "w1", "w1", "w1", "w1", "w1"]} count={6} />}
          </tbody>
        </table>
      </section>
      {(after || data?.cursor) && (
        <nav class="pager" aria-label="Pages of communities">
          {after && (
            <Button look="sm" href={link({ after: "" })}>
              First page
            </Button>
          )}
          <span class="push" />
          {data?.cursor && (
            <Button look="sm" href={link({ after: data.cursor })}>
              Next page
            </Button>
          )}
        </nav>
      )}
    </>
  );
}

const NoneYet = () => (
  <div class="empty">
    <h2>No communities yet</h2>
    <p>A community is listed from its first webhook on.</p>
    <div class="row">
      <Button look="primary" icon="plus" href="#/webhooks/new">
        Create webhook
      </Button>
    </div>
  </div>
);

const NoMore = () => (
  <div class="empty">
    <h2>No more communities</h2>
    <p>The page before had the last ones.</p>
    <div class="row">
      <Button href={link({ after: "" })}>First page</Button>
    </div>
  </div>
);

function Row({ session, scope }: { session: Session; scope: Scope }) {
  const row = useRef<HTMLTableRowElement>(null);
  const [health, setHealth] = useState<CommunityHealth>();
  const [problem, setProblem] = useState("");
  const path = inScope(scope, "health");
  useEffect(() => {
    const abort = new AbortController();
    const load = () => session.client.call<CommunityHealth>("GET", path, undefined, abort.signal);
    const stop = whenSeen(row.current!, () => {
      inTurn(load, abort.signal).then(setHealth, (failure) => {
        if (!abort.signal.aborted) setProblem(asApiError(failure).message);
      });
    });
    return () => {
      abort.abort();
      stop();
    };
  }, [path, session.client]);
  const open = (event: MouseEvent) => {
    event.preventDefault();
    switchTo(scope, "webhooks");
  };
  return (
    <tr ref={row}>
      <td class="id">
        <b>{scope.tenant}</b>
      </td>
      <td class="id">
        <a href="#/webhooks" onClick={open}>
          {scope.community}
        </a>
      </td>
      {health ? (
        <Figures health={health} />
      ) : problem ? (
        <td colSpan={6} class="meta">
          {problem}
        </td>
      ) : (
        Array.from({ length: 6 }, (_, at) => (
          <td key={at} class="num">
            <span class="sk w1" />
          </td>
        ))
      )}
    </tr>
  );
}

function Figures({ health }: { health: CommunityHealth }) {
  const { webhooks, undelivered, isExact, oldestAt } = health;
  // More than were counted: "at least".
  const text = (count: number) => (isExact ? number(count) : `${number(count)}+`);
  const figure = (count: number, kind: "failing" | "retrying" | "held" | "dead") => (
    <td class="num">{count ? <Pill kind={kind} text={text(count)} look="plain" /> : "0"}</td>
  );
  return (
    <>
      <td class="num">{number(webhooks.total)}</td>
      {figure(webhooks.failing, "failing")}
      {figure(undelivered.retrying, "retrying")}
      {figure(undelivered.held, "held")}
      {figure(undelivered.dead, "dead")}
      <td class="num">{oldestAt ? duration(Math.max(0, Date.now() - Date.parse(oldestAt))) : "–"}</td>
    </>
  );
}
