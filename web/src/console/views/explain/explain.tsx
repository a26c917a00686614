/** Explain: which webhooks an event goes to, and why it does not go to the others. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ViewProps } from "../../app";
import { Trouble } from "../../parts/trouble";
import { Head } from "../../parts/ui";
import { draftsOf } from "../../state/drafts";
import { address, go, useRoute } from "../../state/router";
import { samplesFor } from "../../state/samples";
import { problemsOf } from "../../text/problems";
import { ExplainForm } from "./explain_form";
import { Explained } from "./explained";
import { type Asked, isEvent, problemsOfQuestion, renamed, useExplanation } from "./explanation";

export function Explain({ session }: ViewProps) {
  const { query } = useRoute();
  const drafts = draftsOf(session);
  const [fields, setFields] = useState<Asked>(() => ({
    text: query.event ?? drafts.explain?.text ?? samplesFor(session.scope)[0]!.event,
    name: query.name ?? "",
    at: query.at ?? "",
  }));
  const [asked, setAsked] = useState<Asked>();
  const [problems, setProblems] = useState<Record<string, string | undefined>>({});
  const { data, error, retryAt, isLoading, reload, more } = useExplanation(session, asked);

  const change = (next: Asked) => {
    setFields(next);
    setProblems({});
    drafts.explain = { text: next.text };
  };
  const run = (next: Asked) => {
    const found = problemsOfQuestion(next);
    change(next);
    setProblems(found);
    setAsked(Object.keys(found).length ? undefined : { ...next });
  };
  // An id is the address's: the link of a delivery leads here, and Back leaves it.
  const explain = (next: Asked) => {
    const link = isEvent(next.text) ? "#/explain" : linkOf(next);
    if (location.hash.replace(/&show=.*/, "") === link || isEvent(next.text)) run(next);
    if (location.hash !== link) go(link);
  };
  const isFirst = useRef(true);
  useEffect(() => {
    if (query.event) run({ text: query.event, name: query.name ?? "", at: query.at ?? "" });
    else if (isFirst.current && drafts.explain?.isAsked) run(fields);
    else if (asked && !isEvent(asked.text)) setAsked(undefined);
    isFirst.current = false;
  }, [query.event, query.name, query.at]);

  // The API's sentence stands beside the field that it is about.
  const refused = asked && error?.status === 400 ? problemsOf(error.message, FIELDS) : undefined;
  const shown = { ...refused?.fields, ...problems };
  if (refused?.rest) shown.event ??= refused.rest;
  return (
    <>
      <Head
        title="Explain"
        sub="Paste an event to see which webhooks it goes to, and why it does not go to the others. Nothing is sent."
      />
      <div class="cat">
        <ExplainForm
          session={session}
          fields={fields}
          problems={shown}
          isBusy={Boolean(asked) && isLoading && !data}
          onChange={change}
          onExplain={explain}
        />
        <section class="stack" aria-live="polite" aria-label="Explanation">
          {data && (
            <Explained
              session={session}
              answer={data}
              error={error}
              retryAt={retryAt}
              isLoading={isLoading}
              onMore={more}
              onRetry={reload}
              onEvent={(text) => explain({ text, name: "", at: "" })}
              onName={(name) =>
                explain(
                  isEvent(data.asked.text)
                    ? { ...fields, text: renamed(data.asked.text, name) }
                    : { ...data.asked, name },
                )
              }
            />
          )}
          {!data && asked && error && !refused && (
            <Trouble error={error} retryAt={retryAt} onRetry={reload} />
          )}
          {!asked && <p class="ink2">The webhooks that listen to the event are listed here.</p>}
        </section>
      </div>
    </>
  );
}

const FIELDS = ["eventName", "eventId", "occurredAt", "event"];

const linkOf = ({ text, name, at }: Asked) =>
  address(["explain"], { event: text.trim(), name: name.trim(), at: at.trim() });
