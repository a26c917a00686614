/** In place of a part of a view that could not be loaded, or over its older content. */
import { sentence } from "../health";
import type { Loaded } from "../load";
import { Button, Countdown, Note } from "./ui";

export function NotLoaded({ what, load }: { what: string; load: Loaded<unknown> }) {
  const { error, retryAt } = load;
  if (!error) return null;
  return (
    <Note
      tone={error.status === 429 ? "warn" : "bad"}
      icon={error.status === 429 ? "clock" : error.status === 0 ? "wifi" : "tri"}
      actions={
        <Button look="sm" onClick={load.reload}>
          Try again now
        </Button>
      }
    >
      <b>{what} could not be loaded.</b> {sentence(error.message)}
      {retryAt && (
        <>
          Next try in <Countdown until={retryAt} />.
        </>
      )}
    </Note>
  );
}
