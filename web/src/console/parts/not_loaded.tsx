/** In place of a part of a view that could not be loaded, or over its earlier state. */

import type { Loaded } from "../state/load";
import { sentence } from "../text/health";
import { Button, Countdown, Note } from "./ui";

export function NotLoaded(props: {
  name: string;
  load: Loaded<unknown>;
  /** The view says already that it is old, and this part has its earlier state. */
  isSaid: boolean;
}) {
  const { name, load } = props;
  const { error, retryAt } = load;
  if (!error || props.isSaid) return null;
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
      <b>{name} could not be loaded.</b> {sentence(error.message)}
      {retryAt && (
        <>
          Next try in <Countdown until={retryAt} />.
        </>
      )}
    </Note>
  );
}
