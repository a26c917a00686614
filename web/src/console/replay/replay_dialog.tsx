/** Deliveries that are sent again: counted first, then sent, with their progress. */
import { useEffect, useState } from "preact/hooks";
import type { ApiError } from "../../shared/client";
import { Dialog } from "../parts/dialog";
import { Button, Countdown, FieldBlock, FieldError, Input, KINDS, Note, Select } from "../parts/ui";
import { WebhookPicker } from "../parts/webhook_picker";
import { useEventNames } from "../state/catalogue";
import { asApiError } from "../state/load";
import { link, parse, replace, useRoute } from "../state/router";
import { inScope, type Session } from "../state/session";
import type { Replay, ReplayCount } from "../state/types";
import { later, secondsUntilRetry } from "../state/waiting";
import { number, plural, seconds } from "../text/format";
import { sentence } from "../text/health";
import { bodyOf, fieldsOf, OUTCOMES, problemsOf, type ReplayFields } from "./replay_fields";
import { ReplayProgress } from "./replay_progress";
import { announceReplay } from "./running_replays";

export { RunningReplays } from "./running_replays";

interface DialogProps {
  session: Session;
  /** Chosen already. */
  webhookId?: string;
  onClose: () => void;
}

/** `?dialog=replay` asks for the deliveries; with `&replay=<id>` it shows that replay's progress. */
export function ReplayDialog({ session, webhookId, onClose }: DialogProps) {
  const { query } = useRoute();
  const close = () => {
    onClose();
    if (parse().query.replay) replace(link({ replay: "" }));
  };
  if (query.replay) return <ReplayProgress session={session} replayId={query.replay} onClose={close} />;
  return <ReplayForm session={session} webhookId={webhookId} onClose={close} />;
}

const TYPING_MS = 400;

interface Count {
  /** Of the fields as they are. */
  known?: ReplayCount;
  error?: ApiError;
  /** The service counts a community's log now and then: when it is asked again. */
  retryAt?: number;
}

/** Count the deliveries that the fields find, without sending; again when they change, or a limit has ended. */
function useCount(session: Session, fields: ReplayFields): Count & { again: () => void } {
  const body = bodyOf(fields);
  const asked = JSON.stringify(body);
  const [state, set] = useState<Count & { asked?: string }>({});
  const [round, next] = useState(0);
  useEffect(() => {
    if (!fields.webhookId) return;
    const abort = new AbortController();
    let stop: (() => void) | undefined;
    const count = async () => {
      const path = inScope(session.scope, "deliveries", "replay");
      try {
        const dryRun = { ...body, dryRun: true };
        const known = await session.client.call<ReplayCount>("POST", path, dryRun, abort.signal);
        set({ asked, known });
      } catch (failure) {
        if (abort.signal.aborted) return;
        const error = asApiError(failure);
        const wait = error.status === 429 ? secondsUntilRetry(error, 1) : undefined;
        const retryAt = wait && Date.now() + wait * 1000;
        if (retryAt) stop = later(retryAt, count, error);
        set({ asked, error, retryAt });
      }
    };
    const timer = setTimeout(count, state.asked ? TYPING_MS : 0);
    return () => {
      clearTimeout(timer);
      stop?.();
      abort.abort();
    };
  }, [asked, round]);
  const again = () => {
    set((before) => ({ asked: before.asked }));
    next(round + 1);
  };
  return state.asked === asked ? { ...state, again } : { again };
}

function ReplayForm({ session, webhookId, onClose }: DialogProps) {
  const [fields, set] = useState(() => fieldsOf(parse().query, webhookId ?? parse().query.webhook ?? ""));
  const [busy, setBusy] = useState(false);
  const [refused, refuse] = useState<ApiError>();
  const names = useEventNames(session);
  const { known, error, retryAt, again } = useCount(session, fields);
  const change = (name: keyof ReplayFields) => (value: string) => {
    refuse(undefined);
    set((before) => ({ ...before, [name]: value }));
  };
  const wrong = problemsOf((refused ?? error)?.message ?? "");
  const problems = (refused ?? error)?.status === 400 ? wrong.fields : {};
  const rest = (refused ?? error)?.status === 400 ? wrong.rest : (refused ?? error)?.message;
  const sendable = known ? known.deliveries - known.withoutPayload : 0;

  const submit = async () => {
    if (!sendable || busy) return;
    setBusy(true);
    try {
      const path = inScope(session.scope, "deliveries", "replay");
      const begun = await session.client.call<Replay | ReplayCount>("POST", path, bodyOf(fields));
      if ("replayId" in begun) {
        announceReplay();
        replace(link({ dialog: "replay", replay: begun.replayId }));
      } else again(); // none is left of those that were counted
    } catch (failure) {
      refuse(asApiError(failure));
    } finally {
      setBusy(false);
    }
  };

  const field = (name: "since" | "until" | "eventName" | "rate", label: string, more = {}) => (
    <FieldBlock id={`replay-${name}`} label={label} error={problems[name]}>
      <Input
        id={`replay-${name}`}
        value={fields[name]}
        onValue={change(name)}
        error={problems[name]}
        {...more}
      />
    </FieldBlock>
  );
  return (
    <Dialog
      title="Replay deliveries"
      onClose={onClose}
      onSubmit={submit}
      footer={
        <>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button
            disabled={!fields.webhookId}
            onClick={() => {
              refuse(undefined);
              again();
            }}
          >
            Count again
          </Button>
          <Button type="submit" look="primary" icon="retry" disabled={!sendable} busy={busy && "Beginning"}>
            {sendable ? `Replay ${plural(sendable, "delivery", "deliveries")}` : "Replay"}
          </Button>
        </>
      }
    >
      <p class="ink2">
        Sends deliveries again. Each keeps its <code>webhook-id</code>, so your endpoint can tell a repeat.
      </p>
      {!webhookId && (
        <div class="lab1">
          <label for="replay-webhookId">Webhook</label>
          <WebhookPicker
            session={session}
            id="replay-webhookId"
            value={fields.webhookId}
            onValue={change("webhookId")}
            placeholder="Choose a webhook"
            error={problems.webhookId}
          />
          <FieldError id="replay-webhookId" text={problems.webhookId} />
        </div>
      )}
      <div class="g2">
        <FieldBlock id="replay-outcome" label="Outcome" error={problems.outcome}>
          <Select
            id="replay-outcome"
            options={OUTCOMES.map((each) => [each, KINDS[each].word])}
            value={fields.outcome}
            onValue={change("outcome")}
          />
        </FieldBlock>
        {field("rate", "Rate, per second", { look: "num w-s", inputMode: "numeric" })}
        {field("since", "Since", { type: "datetime-local" })}
        {field("until", "Until (empty: now)", { type: "datetime-local" })}
        {field("eventName", "Event name (empty: any)", { look: "mono", list: "replay-names" })}
      </div>
      <datalist id="replay-names">
        {names.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <div aria-live="polite">
        {!refused && error && retryAt ? (
          <Note tone="warn" icon="clock">
            <b>Not counted yet.</b> {sentence(error.message)}It is counted by itself in{" "}
            <Countdown until={retryAt} />.
          </Note>
        ) : rest ? (
          <Note tone="bad" icon="tri">
            {rest}
          </Note>
        ) : (
          <Counted fields={fields} known={known} isWrong={Boolean(error)} />
        )}
      </div>
    </Dialog>
  );
}

function Counted(props: { fields: ReplayFields; known?: ReplayCount; isWrong: boolean }) {
  const { fields, known } = props;
  if (!fields.webhookId) return <Note icon="retry">Choose a webhook: its deliveries are counted first.</Note>;
  if (props.isWrong) return null;
  if (!known) return <Note icon="retry">Counting</Note>;
  const { deliveries, withoutPayload } = known;
  if (!deliveries)
    return (
      <Note icon="retry">
        <b>No delivery fits.</b> Nothing is sent. Choose an earlier time, or another outcome.
      </Note>
    );
  const sendable = deliveries - withoutPayload;
  const rate = Number(fields.rate);
  const takes = `about ${seconds(Math.max(1, Math.ceil(sendable / rate)))} at ${number(rate)} per second`;
  const none = sendable
    ? `${number(withoutPayload)} ${withoutPayload === 1 ? "has" : "have"} none and cannot be sent.`
    : "None has a payload, so nothing can be sent.";
  return (
    <Note icon="retry" tone={sendable ? undefined : "warn"}>
      <b>{plural(deliveries, "delivery", "deliveries")}</b> (counted without sending).{" "}
      {!withoutPayload && `All have a payload and take ${takes}.`}
      {withoutPayload > 0 &&
        sendable > 0 &&
        `${number(sendable)} ${sendable === 1 ? "has" : "have"} a payload and ${sendable === 1 ? "takes" : "take"} ${takes}. `}
      {withoutPayload > 0 && none}
    </Note>
  );
}
