/** Over a view whose next load failed: the view is old, and the reason. */
import type { ApiError } from "../../shared/client";
import { askAgain } from "../state/session";
import { useOnline } from "../state/waiting";
import { sentence } from "../text/health";
import { hintOf } from "./trouble";
import { Button, Countdown, Note } from "./ui";

export function Stale(props: { error: ApiError; retryAt?: number; onRetry: () => void }) {
  const { error, retryAt } = props;
  // Offline, the banner of the page says so.
  if (!useOnline()) return null;
  const action =
    error.status === 401 ? (
      <Button look="sm" icon="lock" onClick={askAgain}>
        Connect again
      </Button>
    ) : (
      <Button look="sm" onClick={props.onRetry}>
        Try again now
      </Button>
    );
  return (
    <Note
      tone={error.status === 429 ? "warn" : "bad"}
      icon={error.status === 429 ? "clock" : error.status === 0 ? "wifi" : "tri"}
      actions={action}
    >
      <b>The page shows an earlier state.</b> {sentence(error.message)}
      {hintOf(error)}
      {retryAt && (
        <>
          Next try in <Countdown until={retryAt} />.
        </>
      )}
    </Note>
  );
}
