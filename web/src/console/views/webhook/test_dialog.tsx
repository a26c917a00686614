/** Sends a test event and shows the endpoint's answer. Typed data stays until the dialog is closed. */
import { useEffect, useRef, useState } from "preact/hooks";
import { type ApiError, JsonText } from "../../../shared/client";
import { Dialog } from "../../parts/dialog";
import { JsonArea } from "../../parts/json_area";
import { Button, Countdown, FieldBlock, Note, Select } from "../../parts/ui";
import { asApiError } from "../../state/load";
import { address } from "../../state/router";
import { samplesFor } from "../../state/samples";
import { inScope, type Session } from "../../state/session";
import type { TestResult, Webhook } from "../../state/types";
import { sentence } from "../../text/health";
import { JsonError, readJson } from "../../text/json_text";
import { TestOutcome } from "./test_outcome";

/** Of an event name that no sample has, the first sample's. */
function sampleOf(session: Session, eventName: string): string {
  const samples = samplesFor(session.scope);
  return (samples.find((each) => each.name === eventName) ?? samples[0]!).data;
}

export function TestDialog(props: { session: Session; webhook: Webhook; onClose: () => void }) {
  const { session, webhook, onClose } = props;
  const [eventName, choose] = useState(webhook.eventNames[0] ?? "");
  const [typed, setTyped] = useState<string>();
  const data = typed ?? sampleOf(session, eventName);
  const [wrong, setWrong] = useState("");
  const test = useTest(session, webhook._id);

  const send = () => {
    const problem = problemOf(data);
    setWrong(problem);
    if (problem) document.getElementById("test-data")?.focus();
    else test.send(eventName, data);
  };
  const { result, error, retryAt, isBusy } = test;

  if (result)
    return (
      <Dialog
        key="result"
        title="Test event"
        onClose={onClose}
        footer={
          <>
            <span class="push">
              <Button look="quiet" onClick={test.forget}>
                Change data
              </Button>
            </span>
            <Button busy={(isBusy || Boolean(retryAt)) && "Sending"} onClick={send}>
              Send again
            </Button>
            <Button href={address(["deliveries"], { webhook: webhook._id, open: result.deliveryId })}>
              Open delivery
            </Button>
            <Button look="primary" onClick={onClose}>
              Done
            </Button>
          </>
        }
      >
        <TestOutcome result={result} />
        <Failure error={error} retryAt={retryAt} />
      </Dialog>
    );
  return (
    <Dialog
      key="form"
      title="Send test event"
      onClose={onClose}
      onSubmit={send}
      footer={
        <>
          <span class="meta push">At most 1 per second</span>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button
            look="primary"
            icon="send"
            type="submit"
            busy={(isBusy || Boolean(retryAt)) && (isBusy ? "Sending" : "Waiting")}
          >
            Send
          </Button>
        </>
      }
    >
      <p class="ink2">
        Sends one signed callback now, the same way as any event. It does not count for health.
      </p>
      <FieldBlock id="test-event" label="Event name">
        <Select id="test-event" options={webhook.eventNames} value={eventName} onValue={choose} />
      </FieldBlock>
      <FieldBlock id="test-data" label="Data" error={wrong}>
        <JsonArea
          id="test-data"
          rows={10}
          value={data}
          error={wrong}
          onValue={(text) => {
            setTyped(text);
            setWrong("");
          }}
          onSend={send}
        />
      </FieldBlock>
      <Failure error={error} retryAt={retryAt} />
    </Dialog>
  );
}

function Failure({ error, retryAt }: { error?: ApiError; retryAt?: number }) {
  if (!error) return null;
  if (retryAt)
    return (
      <Note tone="warn" icon="clock">
        <b>Not sent yet.</b> {sentence(error.message)}It is sent by itself in <Countdown until={retryAt} />.
      </Note>
    );
  return (
    <Note tone="bad" icon="tri">
      <b>Not sent.</b> {sentence(error.message)}
      {error.requestId && <span class="meta"> Request {error.requestId}</span>}
    </Note>
  );
}

/** Return the problem of the data as a sentence; "" without one. */
function problemOf(data: string): string {
  try {
    return readJson(data) instanceof Map ? "" : "The data must be a JSON object: { … }.";
  } catch (error) {
    return error instanceof JsonError ? error.message : "The data is nested too deep.";
  }
}

/** A test: its result, or why there is none. One that comes too soon is sent when the service allows it. */
function useTest(session: Session, webhookId: string) {
  const [result, show] = useState<TestResult>();
  const [error, fail] = useState<ApiError>();
  const [retryAt, wait] = useState<number>();
  const [isBusy, setBusy] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const isGone = useRef(false);
  useEffect(
    () => () => {
      isGone.current = true;
      clearTimeout(timer.current);
    },
    [],
  );

  const send = async (eventName: string, data: string) => {
    clearTimeout(timer.current);
    setBusy(true);
    fail(undefined);
    wait(undefined);
    try {
      const path = inScope(session.scope, "webhook", webhookId, "test");
      // The data goes as it was typed: a number keeps its digits.
      const body = new JsonText(`{"eventName":${JSON.stringify(eventName)},"data":${data}}`);
      const sent = await session.client.call<TestResult>("POST", path, body);
      if (!isGone.current) show(sent);
    } catch (failure) {
      if (isGone.current) return;
      const known = asApiError(failure);
      fail(known);
      if (known.status === 429) {
        const ms = Math.max(1, known.retryAfter ?? 1) * 1000;
        wait(Date.now() + ms);
        timer.current = setTimeout(() => void send(eventName, data), ms);
      }
    } finally {
      setBusy(false);
    }
  };
  const forget = () => {
    clearTimeout(timer.current);
    show(undefined);
    fail(undefined);
    wait(undefined);
  };
  return { result, error, retryAt, isBusy, send, forget };
}
