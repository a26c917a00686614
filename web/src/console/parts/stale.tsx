/** Over data that could not be loaded again and is not tried by itself: it is older, and why. */
import type { ApiError } from "../../shared/client";
import { sentence } from "../health";
import { askAgain } from "../session";
import { hintOf } from "./trouble";
import { Button, Note } from "./ui";

export function Stale({ error, onRetry }: { error: ApiError; onRetry: () => void }) {
  const action =
    error.status === 401 ? (
      <Button look="sm" icon="lock" onClick={askAgain}>
        Connect again
      </Button>
    ) : (
      <Button look="sm" onClick={onRetry}>
        Try again now
      </Button>
    );
  return (
    <Note tone="bad" icon="tri" actions={action}>
      <b>The page shows what was loaded before.</b> {sentence(error.message)}
      {hintOf(error)}
    </Note>
  );
}
