/** The result of a test event: one sentence, the phases, the response and the request. */
import { useState } from "preact/hooks";
import { PhaseBar, PhaseKey } from "../../delivery/phases";
import { Headers, Json, pretty } from "../../parts/code";
import { Note } from "../../parts/ui";
import type { TestResult } from "../../state/types";
import { duration } from "../../text/format";
import { capital } from "../../text/health";

const TABS = [
  ["response", "Response"],
  ["headers", "Request headers"],
  ["body", "Body"],
] as const;
type Tab = (typeof TABS)[number][0];

export function TestOutcome({ result }: { result: TestResult }) {
  const { times, latencyMs } = result;
  const isDelivered = result.outcome === "delivered";
  const took = duration(latencyMs);
  return (
    <>
      <div role="status">
        <Note tone={isDelivered ? "ok" : "bad"} icon={isDelivered ? "ok" : "tri"}>
          <b>{result.status ? `${result.status} in ${took}.` : `No answer after ${took}.`}</b>{" "}
          {isDelivered ? `${result.status} is a success code.` : `${capital(result.reason ?? "it failed")}.`}{" "}
          The delivery is in the log, marked as test.
        </Note>
      </div>
      <div>
        {times && <PhaseKey times={times} />}
        <div class="wf">
          <PhaseBar times={times} total={latencyMs} of={Math.max(latencyMs, times?.totalMs ?? 0)} />
        </div>
        {result.address && <p class="meta">Answered by {result.address}</p>}
      </div>
      {/* Another result starts with its response. */}
      <Details key={result.deliveryId} result={result} />
    </>
  );
}

function Details({ result }: { result: TestResult }) {
  const [tab, open] = useState<Tab>("response");
  const { request } = result;
  return (
    <>
      <div class="tabs" role="group" aria-label="Result">
        {TABS.map(([name, word]) => (
          <button key={name} type="button" aria-pressed={name === tab} onClick={() => open(name)}>
            {word}
          </button>
        ))}
      </div>
      {tab === "response" && <Response result={result} />}
      {tab === "headers" && <Headers headers={request.headers} first={`${request.method} ${request.url}`} />}
      {tab === "body" && <Json text={pretty(request.body)} />}
    </>
  );
}

function Response({ result: { response } }: { result: TestResult }) {
  if (!response) return <p class="ink2">The endpoint sent no response.</p>;
  if (!response.excerpt) return <p class="ink2">HTTP {response.status}, without a body.</p>;
  return (
    <>
      <Json text={response.excerpt} wrap />
      <p class="meta">HTTP {response.status}. The first KiB of the body is kept.</p>
    </>
  );
}
