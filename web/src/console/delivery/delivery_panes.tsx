/** The tabs of a delivery: an attempt's response, the payload, an attempt's request headers. */
import { useEffect, useState } from "preact/hooks";
import { Headers, Json, pretty } from "../parts/code";
import { Copy, Note, Segments } from "../parts/ui";
import { webhookOf } from "../state/names";
import type { Session } from "../state/session";
import type { Attempt, Delivery, ShownWebhook } from "../state/types";
import { duration, number } from "../text/format";
import { noAnswer, statusLine } from "./delivery_story";

/** Longer texts are shown without colours. */
const COLOURED = 100_000;

export function ResponsePane({ delivery, attempt }: { delivery: Delivery; attempt?: Attempt }) {
  if (!attempt)
    return (
      <Note icon={delivery.outcome === "held" ? "pause" : "help"}>
        {delivery.attemptCount ? "This attempt is counted only." : "No attempt yet, so there is no response."}
      </Note>
    );
  const from = `attempt ${attempt.number}${attempt.address ? `, address ${attempt.address}` : ""}`;
  if (!attempt.status)
    return (
      <>
        <div class="row">
          <b>No answer</b>
          <span class="meta">{from}</span>
        </div>
        <Note tone="bad" icon="clock">
          <b>{noAnswer(attempt)}.</b> {reached(attempt)}
          {attempt.reason && <div class="meta mono">{attempt.reason}</div>}
        </Note>
      </>
    );
  return (
    <>
      <div class="row">
        <b>{statusLine(attempt.status)}</b>
        <span class="meta">{from}</span>
      </div>
      {attempt.location && (
        <p>
          It leads to <span class="mono">{attempt.location}</span>. Redirects are not followed.
        </p>
      )}
      {attempt.response && (
        <pre class="code wrap" tabIndex={0}>
          {attempt.response}
        </pre>
      )}
      <p class="meta">
        {attempt.response
          ? "The start of a response that is no success is kept, at most 1 KiB."
          : "No text is kept: of a success, or of a response that had none."}
      </p>
    </>
  );
}

/** How far an attempt came that got no response. */
function reached({ times }: Attempt): string {
  if (!times) return "";
  if (times.firstByteMs) return `The first byte came after ${duration(times.firstByteMs)}.`;
  if (times.tlsMs) return `TLS was ready after ${duration(times.tlsMs)}; the first byte did not come.`;
  if (times.connectMs) return `It was connected after ${duration(times.connectMs)}.`;
  return "";
}

export function PayloadPane({ delivery, payload }: { delivery: Delivery; payload?: string }) {
  const [form, choose] = useState<"pretty" | "raw">("pretty");
  if (payload === undefined)
    return (
      <Note icon="help">
        {delivery.outcome === "dead" || delivery.outcome === "held"
          ? "The payload is not kept."
          : "The payload is not kept. This service keeps payloads of dead and held deliveries only, unless it is set to keep all (KeepPayloads)."}
      </Note>
    );
  const shown = form === "raw" ? payload : pretty(payload);
  return (
    <>
      <div class="row">
        <span class="meta">{number(new TextEncoder().encode(payload).length)} bytes</span>
        <span class="push row tight">
          <Segments
            label="Form"
            options={[
              ["pretty", "Pretty"],
              ["raw", "Raw"],
            ]}
            value={form}
            onChange={choose}
          />
          <Copy text={payload} what="payload" />
        </span>
      </div>
      {form === "raw" || shown.length > COLOURED ? (
        <pre class={`code ${form === "raw" ? "wrap" : ""}`} tabIndex={0}>
          {shown}
        </pre>
      ) : (
        <Json text={shown} />
      )}
    </>
  );
}

export function RequestPane(props: { session: Session; delivery: Delivery; attempt?: Attempt }) {
  const { session, delivery, attempt } = props;
  const [webhook, set] = useState<ShownWebhook>();
  useEffect(() => {
    let isOver = false;
    webhookOf(session, delivery.webhookId).then((found) => isOver || set(found));
    return () => {
      isOver = true;
    };
  }, [delivery.webhookId]);
  if (!attempt?.requestHeaders)
    return <Note icon="help">{attempt ? "Loading." : "No attempt yet, so there is no request."}</Note>;
  return (
    <>
      <Headers
        headers={attempt.requestHeaders}
        first={webhook && `${webhook.api.type ?? "POST"} ${webhook.api.url}`}
      />
      <p class="meta">
        Of attempt {attempt.number}. Credentials are never shown, and the values of signatures are left out.
        {webhook && " The address is the one that the webhook has now."}
      </p>
    </>
  );
}
