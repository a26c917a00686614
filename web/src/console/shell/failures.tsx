/** Failures of the page itself: a sentence and a way on, never a blank page or an error's text. */
import type { ComponentChildren } from "preact";
import { useEffect, useErrorBoundary, useState } from "preact/hooks";
import { ApiError } from "../../shared/client";
import { Icon } from "../parts/icons";
import { Trouble } from "../parts/trouble";
import { Button, Head } from "../parts/ui";

const FAILED = "The console has an error in this view. Your keys and the service are not concerned.";

/** Shows a view, or a page message where it cannot be drawn. */
export function Guarded({ children }: { children: ComponentChildren }) {
  const [error, reset] = useErrorBoundary((failure) => {
    console.error("a view could not be drawn", failure);
  });
  if (!error) return <>{children}</>;
  return (
    <>
      <Head title="This view failed" />
      <Trouble title="It could not be drawn" error={new ApiError(-1, FAILED)}>
        <Button look="primary" icon="retry" onClick={reset}>
          Show it again
        </Button>
        <Button href="#/webhooks">All webhooks</Button>
      </Trouble>
    </>
  );
}

let tell: () => void = () => undefined;
let hasFailed = false;

/** Watch for errors that no code expected. */
export function installFailures(): void {
  const failed = (error: unknown) => {
    // Without an error it is the browser's remark on a resize; an aborted request is no failure.
    if (!error || (error instanceof DOMException && error.name === "AbortError")) return;
    hasFailed = true;
    tell();
  };
  addEventListener("error", (event) => failed(event.error));
  addEventListener("unhandledrejection", (event) => failed(event.reason));
}

/** Says that something failed; `onAgain` draws the view anew. */
export function FailureBanner({ onAgain }: { onAgain: () => void }) {
  const [, redraw] = useState(0);
  useEffect(() => {
    tell = () => redraw((count) => count + 1);
    return () => {
      tell = () => undefined;
    };
  }, []);
  if (!hasFailed) return null;
  const dismiss = () => {
    hasFailed = false;
    tell();
  };
  return (
    <div class="banner bad" role="alert">
      <Icon name="tri" />
      <div>Something in this page failed. It may not show everything.</div>
      <Button
        look="sm"
        onClick={() => {
          dismiss();
          onAgain();
        }}
      >
        Show the view again
      </Button>
      <Button look="sm quiet" onClick={dismiss}>
        Dismiss
      </Button>
    </div>
  );
}
