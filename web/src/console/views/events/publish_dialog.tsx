/** Publishes an event: a real one. */
import { useRef, useState } from "preact/hooks";
import type { ApiError } from "../../../shared/client";
import { pretty } from "../../parts/code";
import { Dialog } from "../../parts/dialog";
import { JsonArea } from "../../parts/json_area";
import { toast } from "../../parts/toast";
import { Button, FieldBlock, Input, Note } from "../../parts/ui";
import { closest, useEventNames } from "../../state/catalogue";
import { draftsOf, type Publication } from "../../state/drafts";
import { asApiError } from "../../state/load";
import { go } from "../../state/router";
import { samplesFor } from "../../state/samples";
import type { Session } from "../../state/session";
import { plural } from "../../text/format";
import { problemsOf } from "../../text/problems";
import type { ReadWebhooks } from "./events";
import { type Accepted, asEvent, newIdentity, problemsOfPublication, publish } from "./publishing";

interface Props {
  session: Session;
  name: string;
  /** The webhooks that are known. */
  data?: ReadWebhooks;
  onAccepted: (accepted: Accepted) => void;
  onClose: () => void;
}

const FIELDS = ["eventName", "eventId", "data"];

export function PublishDialog({ session, name, data, onAccepted, onClose }: Props) {
  const drafts = draftsOf(session);
  const [fields, setFields] = useState<Publication>(() =>
    drafts.publish?.of === name ? drafts.publish : emptyOf(session, name),
  );
  const [problems, setProblems] = useState<Record<string, string | undefined>>({});
  const [failed, setFailed] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const own = useRef(newIdentity());
  const names = useEventNames(session);

  const change = (part: Partial<Publication>) => {
    const next = { ...fields, ...part };
    setFields(next);
    setProblems({});
    setFailed(undefined);
    drafts.publish = next;
    own.current = newIdentity();
  };
  const check = () => {
    const found = problemsOfPublication(fields);
    setProblems(found);
    focusFirst(found);
    return !Object.keys(found).length;
  };
  const explain = () => {
    if (!check()) return;
    drafts.publish = fields;
    drafts.explain = { text: pretty(asEvent(session, fields)), isAsked: true };
    go("#/explain");
  };
  const send = async () => {
    if (busy || !check()) return;
    setBusy(true);
    setFailed(undefined);
    try {
      const accepted = await publish(session, fields, own.current);
      drafts.publish = undefined;
      toast("Event accepted");
      onAccepted(accepted);
    } catch (failure) {
      const error = asApiError(failure);
      if (error.status === 413) refuse({ data: error.message });
      else if (error.status === 400) {
        const { fields: found, rest } = problemsOf(error.message, FIELDS);
        refuse(rest ? { ...found, data: [found.data, rest].filter(Boolean).join("; ") } : found);
      } else setFailed(error);
      setBusy(false);
    }
  };
  const refuse = (found: Record<string, string>) => {
    setProblems(found);
    focusFirst(found);
  };
  return (
    <Dialog
      title="Publish event"
      onClose={onClose}
      onSubmit={send}
      footer={
        <>
          <Button onClick={explain}>Explain first</Button>
          <Button type="submit" look="primary" icon="send" busy={busy && "Publishing"}>
            Publish event
          </Button>
        </>
      }
    >
      <FieldBlock id="publish-name" label="Event name" error={problems.eventName}>
        <Input
          id="publish-name"
          look="mono"
          list="publish-names"
          value={fields.name}
          error={problems.eventName}
          onValue={(value) => change({ name: value })}
        />
        <datalist id="publish-names">
          {names.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      </FieldBlock>
      <FieldBlock id="publish-data" label="Data" error={problems.data}>
        <JsonArea
          id="publish-data"
          rows={10}
          value={fields.data}
          error={problems.data}
          onValue={(value) => change({ data: value })}
        />
      </FieldBlock>
      <FieldBlock
        id="publish-id"
        label="Event id (optional)"
        error={problems.eventId}
        hint="Without one the page makes it. The same id and time are the same event: it is delivered once."
      >
        <Input
          id="publish-id"
          look="mono"
          value={fields.eventId}
          error={problems.eventId}
          describedBy="publish-id-hint"
          onValue={(value) => change({ eventId: value })}
        />
      </FieldBlock>
      <Listening name={fields.name.trim()} data={data} />
      {failed && <Failed error={failed} />}
    </Dialog>
  );
}

function emptyOf(session: Session, name: string): Publication {
  const sample = samplesFor(session.scope).find((each) => each.name === name);
  return { of: name, name, data: sample?.data ?? "{}", eventId: "" };
}

/** The first control that is wrong, once its sentence is there. */
function focusFirst(found: Record<string, string>): void {
  const first = FIELDS.find((each) => found[each]);
  const id = first && { eventName: "publish-name", data: "publish-data", eventId: "publish-id" }[first];
  if (id) requestAnimationFrame(() => document.getElementById(id)?.focus());
}

/** How many webhooks get it, as far as it is known. */
function Listening({ name, data }: { name: string; data?: ReadWebhooks }) {
  const listened = data?.listened ?? [];
  const count = listened
    .find((each) => each.name === name)
    ?.listeners.filter((each) => !each.disabled).length;
  const isAll = Boolean(data && data.read >= data.total);
  const meant =
    !count &&
    isAll &&
    closest(
      name,
      listened.map((each) => each.name),
    );
  const listen = count === 1 && isAll ? "listens" : "listen";
  return (
    <Note tone="warn" icon="tri">
      This is a real event
      {count ? (
        <>
          : <b>{isAll ? plural(count, "webhook") : `at least ${plural(count, "webhook")}`}</b> {listen} to{" "}
          <code class="wrap">{name}</code>.
        </>
      ) : isAll && name ? (
        <>
          , but no enabled webhook listens to <code class="wrap">{name}</code>.
          {meant && (
            <>
              {" "}
              Did you mean <code class="wrap">{meant}</code>?
            </>
          )}
        </>
      ) : (
        ": it goes to every webhook that listens to its name."
      )}
    </Note>
  );
}

function Failed({ error }: { error: ApiError }) {
  return (
    <Note tone="bad" icon="tri">
      {error.message}
      {error.retryAfter ? ` Publish again in ${plural(error.retryAfter, "second")}.` : ""}
      {(error.status === 0 || error.status >= 500) &&
        " Publishing the same again is safe: it keeps its id and time."}
      {error.requestId && <div class="meta">Request {error.requestId}</div>}
    </Note>
  );
}
