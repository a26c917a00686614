/** The right half of Explain: the webhooks that listen, and the result of each. */
import type { ComponentChildren } from "preact";
import type { ApiError } from "../../../shared/client";
import { Icon } from "../../parts/icons";
import { Button, Countdown, lookOf, Note, Pill } from "../../parts/ui";
import { knownListener, useCatalogue } from "../../state/catalogue";
import { address, go, link, useRoute } from "../../state/router";
import type { Session } from "../../state/session";
import { number, plural } from "../../text/format";
import type { Answer, ExplainedRow } from "./explanation";
import { FailedConditions } from "./failed_conditions";
import { Meant, Names, NoListeners, sentence } from "./not_listened";
import { WholeEvent } from "./whole_event";

const RESULTS = ["matched", "filtered", "disabled", "unknown"] as const;

interface Props {
  session: Session;
  answer: Answer;
  /** Of the next page. */
  error?: ApiError;
  retryAt?: number;
  isLoading: boolean;
  onMore: () => void;
  onRetry: () => void;
  /** Explain the same event under another name. */
  onName: (name: string) => void;
  /** Explain this event. */
  onEvent: (text: string) => void;
}

export function Explained(props: Props) {
  const { answer } = props;
  const { rows, hasMore, eventName } = answer;
  useCatalogue(props.session); // its sentences are fuller for webhooks that were loaded
  const chosen = useRoute().query.show ?? "";
  const shown = chosen ? rows.filter((each) => each.result === chosen) : rows;
  return (
    <>
      <h2 class="wrap">
        {counted(answer)} <span class="mono">{eventName}</span>
      </h2>
      {answer.listenedNames.length > 0 && <Meant answer={answer} onName={props.onName} />}
      {rows.length > 0 && (
        <div class="row" role="group" aria-label="Result">
          {RESULTS.map((kind) => [kind, rows.filter((each) => each.result === kind).length] as const)
            .filter(([kind, count]) => count > 0 || kind === chosen)
            .map(([kind, count]) => (
              <Chip key={kind} kind={kind} count={count} isPressed={kind === chosen} />
            ))}
        </div>
      )}
      {!answer.eventId && rows.length > 0 && (
        <p class="meta">The event has no id, so its deliveries are not known.</p>
      )}
      <WholeEvent session={props.session} answer={answer} onEvent={props.onEvent} />
      {shown.length > 0 && (
        <div class="card">
          {shown.map((each, at) => (
            <Row key={each.webhookId || at} session={props.session} row={each} />
          ))}
        </div>
      )}
      {chosen && rows.length > 0 && !shown.length && (
        <p class="ink2">None of the webhooks that were read is {chosen}.</p>
      )}
      {!rows.length && !hasMore && !answer.listenedNames.length && <NoListeners answer={answer} />}
      {hasMore && <More {...props} />}
      {answer.listenedNames.length > 0 && <Names answer={answer} />}
    </>
  );
}

/** Only as exact as it is known: further pages may have more. */
function counted({ rows, hasMore, message }: Answer): string {
  const count = rows.length;
  // The API says so where no enabled webhook listens; disabled ones may follow.
  if (message) return `No ${count || hasMore ? "enabled " : ""}webhook listens to`;
  if (!count) return hasMore ? "No webhook found yet that listens to" : "No webhook listens to";
  const listen = count === 1 && !hasMore ? "listens to" : "listen to";
  return `${hasMore ? "At least " : ""}${plural(count, "webhook")} ${listen}`;
}

function Chip(props: { kind: (typeof RESULTS)[number]; count: number; isPressed: boolean }) {
  const { tone, icon, word } = lookOf(props.kind);
  return (
    <button
      type="button"
      class="chip"
      aria-pressed={props.isPressed}
      onClick={() => go(link({ show: props.isPressed ? "" : props.kind }))}
    >
      <span class={`pill k-${tone}`}>
        <Icon name={icon} />
      </span>
      {word} <b>{number(props.count)}</b>
    </button>
  );
}

function Row({ session, row }: { session: Session; row: ExplainedRow }) {
  const place = ["webhooks", row.webhookId];
  return (
    <div class="res">
      <span>
        <Pill kind={row.result} />
      </span>
      <div class="wrap">
        {row.webhookId ? (
          <a class="name" href={address(place)}>
            <b>{row.name || row.webhookId}</b>
          </a>
        ) : (
          <b>A webhook that the service cannot read</b>
        )}
        <div class="ink2">
          {said(session, row)}
          {row.outcome && row.result !== "matched" && (
            <div>
              The delivery log has a delivery: <Pill kind={row.outcome} />
            </div>
          )}
        </div>
      </div>
      <span class="row">
        {row.outcome && (
          <Button
            look="sm quiet"
            href={address(["deliveries"], { open: row.deliveryId })}
            label={`Open the delivery to ${row.name}`}
          >
            Open
          </Button>
        )}
        {row.result === "filtered" && (
          <Button look="sm quiet" href={address([...place, "edit"])} label={`Edit filter of ${row.name}`}>
            Edit filter
          </Button>
        )}
        {(row.result === "disabled" || isPaused(session, row)) && (
          <Button look="sm quiet" href={address(place)} label={`Show ${row.name}`}>
            Show
          </Button>
        )}
      </span>
    </div>
  );
}

/** As far as the webhook was loaded: the API explains filters alone. */
const isPaused = (session: Session, row: ExplainedRow) =>
  row.result === "matched" && !row.outcome && Boolean(knownListener(session, row.webhookId)?.paused);

function said(session: Session, row: ExplainedRow): ComponentChildren {
  if (row.result === "filtered")
    return <FailedConditions conditions={row.conditions} listener={knownListener(session, row.webhookId)} />;
  if (row.result === "disabled") return row.reason ? `Disabled: ${row.reason}` : "It gets no events.";
  if (row.result === "unknown")
    return row.reason
      ? sentence(row.reason)
      : "Without the event's data its filter cannot be judged, and the delivery log has no delivery. Paste the event whole.";
  if (row.outcome)
    return (
      <>
        Delivery <Pill kind={row.outcome} />
      </>
    );
  if (isPaused(session, row)) return "It gets this event, held until the webhook is resumed: it is paused.";
  return row.deliveryId
    ? "It gets this event. The delivery log has no delivery of it."
    : "It gets this event.";
}

function More({ answer, error, retryAt, isLoading, onMore, onRetry }: Props) {
  const isFailed = error && !isLoading;
  return (
    <>
      {isFailed && (
        <Note
          tone="bad"
          icon="tri"
          actions={
            <Button look="sm" onClick={onRetry}>
              Try again now
            </Button>
          }
        >
          {error.message}
          {retryAt && (
            <span class="meta">
              {" "}
              Again in <Countdown until={retryAt} />
            </span>
          )}
        </Note>
      )}
      <div class="row">
        <span class="meta">{number(answer.rows.length)} read, there may be more</span>
        <span class="push">
          <Button look="sm" busy={isLoading && "Loading"} onClick={isFailed ? onRetry : onMore}>
            Show more
          </Button>
        </span>
      </div>
    </>
  );
}
