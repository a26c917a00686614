/** Creates a webhook, or changes one: every field of the API, and its own sentence beside each wrong one. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ViewProps } from "../../app";
import { Trouble } from "../../parts/trouble";
import { Button, Head } from "../../parts/ui";
import { useLoad } from "../../state/load";
import { inScope } from "../../state/session";
import { Editor } from "./editor";
import { Crumb } from "./fields";

export function WebhookForm({ session, id }: ViewProps) {
  return id === "new" ? <Editor session={session} /> : <Edit session={session} id={id} />;
}

/** Loads the webhook, once: later loads do not touch the typed text. */
function Edit({ session, id }: ViewProps) {
  const { data, error, retryAt, reload } = useLoad(
    async (signal) =>
      (await session.client.response("GET", inScope(session.scope, "webhook", id), undefined, signal)).text,
    [id],
  );
  const loaded = useRef<string | undefined>(undefined);
  loaded.current ??= data;
  if (loaded.current !== undefined) return <Editor session={session} id={id} loaded={loaded.current} />;
  return (
    <>
      <Head title="Edit webhook" crumb={<Crumb id={id} />} />
      {error ? (
        <Trouble error={error} retryAt={retryAt} onRetry={reload}>
          <Button href="#/webhooks">All webhooks</Button>
        </Trouble>
      ) : (
        <Waiting />
      )}
    </>
  );
}

function Waiting() {
  const [isShown, show] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => show(true), 150);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="stack l" role="status" aria-label="Loading">
      {isShown &&
        ["w2", "w3", "w3", "w2", "w3"].map((width, at) => <span key={at} class={`sk h ${width}`} />)}
    </div>
  );
}
