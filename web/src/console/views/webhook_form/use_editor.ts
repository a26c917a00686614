/** The state of the form, and its way to the API: save, again by itself after a 429, someone else's change. */
import { useEffect, useRef, useState } from "preact/hooks";
import { toast } from "../../parts/toast";
import { go } from "../../state/router";
import { askAgain, type Session } from "../../state/session";
import type { Webhook } from "../../state/types";
import { LONGEST_TIMER } from "../../state/waiting";
import { keepCreatedSecret } from "./created_secret";
import { useLeaveQuestion } from "./leave";
import { fresh, read, rebased, type Values } from "./model";
import { type Outcome, type Sent, save } from "./save";
import { dropDraft, keepDraft, takeDraft } from "./unsaved";

const DEFAULT_RETRY_SECONDS = 5;
const saveButton = () => document.querySelector<HTMLButtonElement>(".savebar [type=submit]");

type Failure = Exclude<Outcome, { kind: "saved" }> & { retryAt?: number };

/** Return the content of the form and its actions. */
export function useEditor({ session, id, loaded }: { session: Session; id?: string; loaded?: string }) {
  const [begin] = useState(() => {
    const draft = takeDraft(session.scope, id ?? "new");
    const stored = draft?.stored ?? loaded;
    const base = stored ? read(stored) : fresh();
    return { stored, base, values: draft?.values ?? base };
  });
  const [, redraw] = useState(0);
  // Read at once in the same event: a field that is left adds its text, then the form is sent.
  const now = useRef({ ...begin, isBusy: false, isDone: false, sent: undefined as Sent | undefined });
  const [failure, fail] = useState<Failure>();
  const state = now.current;
  const update = (next: Partial<typeof state>) => {
    Object.assign(state, next);
    redraw((count) => count + 1);
  };

  const set = (change: Partial<Values>) => {
    dropDraft();
    update({ values: { ...state.values, ...change } });
    // Only the content that was refused is sent again by itself.
    fail((before) => before && { ...before, retryAt: undefined });
  };
  const isUnsaved = () => !state.isDone && JSON.stringify(state.values) !== JSON.stringify(state.base);
  const { question } = useLeaveQuestion(isUnsaved);
  const leave = (to: string) => {
    state.isDone = true;
    go(to);
  };

  const submit = async () => {
    if (state.isBusy) return;
    dropDraft();
    update({ isBusy: true });
    fail(undefined);
    const outcome = await save({
      session,
      values: state.values,
      id,
      stored: state.stored,
      last: state.sent,
      onSend: (sent) => {
        state.sent = sent;
      },
    });
    state.isBusy = false;
    if (outcome.kind === "saved") return saved(outcome.text);
    const seconds =
      outcome.kind === "failed" && outcome.error.status === 429
        ? Math.max(1, outcome.error.retryAfter ?? DEFAULT_RETRY_SECONDS)
        : undefined;
    fail({ ...outcome, retryAt: seconds && Date.now() + seconds * 1000 });
    // A button that was busy has lost the focus.
    if (outcome.kind !== "refused" && document.activeElement === document.body)
      requestAnimationFrame(() => saveButton()?.focus());
  };
  useEffect(() => {
    if (!failure?.retryAt) return;
    const timer = setTimeout(submit, Math.min(LONGEST_TIMER, failure.retryAt - Date.now()));
    return () => clearTimeout(timer);
  }, [failure?.retryAt]);

  const saved = async (text: string) => {
    if (id) {
      leave(`#/webhooks/${id}`);
      return toast("Saved. Applies to events accepted from now on");
    }
    const made: Webhook = JSON.parse(text);
    const secret = await session.client.open(made.signingSecret);
    if (typeof secret === "string") keepCreatedSecret(made._id, secret);
    leave(`#/webhooks/${made._id}?dialog=created`);
  };
  /** Go on from their version: with or without the changes that were typed. */
  const goOn = (theirs: string, withMine: boolean) => {
    const base = read(theirs);
    update({
      values: withMine ? rebased(state.values, read(state.stored!), base) : base,
      stored: theirs,
      base,
      sent: undefined,
    });
    fail(undefined);
  };
  /** Other keys draw the form anew; with the same ones it is still there. */
  const connect = () => {
    keepDraft(session.scope, id ?? "new", { values: state.values, stored: state.stored });
    askAgain();
  };
  const makeNew = () => {
    keepDraft(session.scope, "new", { values: state.values });
    leave("#/webhooks/new");
  };

  const leaveAnyway = () => {
    dropDraft();
    state.isDone = true;
  };
  return { state, set, failure, submit, goOn, connect, makeNew, question: question(leaveAnyway) };
}
