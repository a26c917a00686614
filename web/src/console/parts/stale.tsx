/** Over a view that could not be loaded again: what it shows is older, and why. */
import type { ApiError } from "../../shared/client";
import { change } from "../session";
import { Button, Countdown, Note } from "./ui";

export function Stale(props: { error: ApiError; retryAt?: number; onRetry: () => void }) {
  const { error, retryAt } = props;
  const action =
    error.status === 401 ? (
      <Button look="sm" onClick={() => change(undefined)}>
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
      icon={error.status === 0 ? "wifi" : "tri"}
      actions={action}
    >
      <b>The page shows what was loaded before.</b> {error.message}{" "}
      {retryAt && (
        <>
          Next try in <Countdown until={retryAt} />.
        </>
      )}
    </Note>
  );
}
