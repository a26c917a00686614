/** The result of a save that failed: the list of wrong fields on top, other failures above the save bar. */
import { useEffect, useRef } from "preact/hooks";
import type { ApiError } from "../../../shared/client";
import { Icon } from "../../parts/icons";
import { hintOf } from "../../parts/trouble";
import { Button, Countdown, Note } from "../../parts/ui";
import { focusControl, type Problems } from "./field_errors";
import { isUnsure } from "./save";

const COUNTS = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten"];

function headline({ fields, others }: Problems): string {
  const count = fields.length;
  if (!count) return others.length ? "The service refused the request." : "";
  const number = COUNTS[count] ?? String(count);
  return count === 1 ? `${number} field needs a change.` : `${number} fields need a change.`;
}

/** The list of wrong fields. It takes the focus, and links to each. */
export function Refused({ problems, status }: { problems: Problems; status?: number }) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    ref.current?.focus({ preventScroll: true });
    ref.current?.scrollIntoView({ block: "center" });
  }, [problems]);
  return (
    <div class="note k-bad" role="alert" tabIndex={-1} ref={ref}>
      <Icon name="tri" />
      <div>
        <b>
          {status && `${status}. `}
          {headline(problems)}
        </b>{" "}
        {problems.fields.map(({ id, label }, at) => (
          <>
            {at > 0 && ", "}
            <a
              key={id}
              href={location.hash}
              onClick={(event) => {
                event.preventDefault();
                focusControl(id);
              }}
            >
              {label}
            </a>
          </>
        ))}
        {problems.fields.length > 0 && ". "}
        {status ? "Nothing was saved." : "Nothing was sent."}
        {problems.others.map((each) => (
          <p key={each}>{each}</p>
        ))}
      </div>
    </div>
  );
}

const TITLES: Record<number, string> = {
  0: "No connection.",
  401: "The service did not accept your keys.",
  403: "Your license does not reach this.",
  404: "It does not exist any more.",
  409: "It cannot be saved now.",
  413: "The request is too large.",
  429: "Too many requests.",
};

/** A failure that is about no field. The typed text stays. */
export function Failed(props: {
  error: ApiError;
  retryAt?: number;
  onRetry: () => void;
  onConnect: () => void;
  onCopy: () => void;
}) {
  const { error } = props;
  const status = error.status > 0 ? `${error.status}. ` : "";
  return (
    <Note
      tone={error.status === 429 ? "warn" : "bad"}
      icon={error.status === 429 ? "clock" : error.status === 0 ? "wifi" : "tri"}
      actions={
        <span class="row">
          {error.status === 401 && (
            <Button look="sm" onClick={props.onConnect}>
              Connect again
            </Button>
          )}
          {error.status === 404 ? (
            <Button look="sm" onClick={props.onCopy}>
              Make it a new webhook
            </Button>
          ) : (
            <Button look="sm" onClick={props.onRetry}>
              Try again
            </Button>
          )}
        </span>
      }
    >
      <div role={error.status === 429 ? "status" : undefined}>
        <b>{`${status}${TITLES[error.status] ?? "The service failed."}`}</b> {error.message} {hintOf(error)}{" "}
        {error.requestId && <span class="meta">Request {error.requestId}</span>}
      </div>
      {isUnsure(error) && <p class="meta">Try again sends the same request: its change is made once.</p>}
      {props.retryAt && (
        <p class="meta">
          The form is sent again by itself in <Countdown until={props.retryAt} />.
        </p>
      )}
    </Note>
  );
}

/** Another request changed the webhook since the form was opened. */
export function Changed(props: { message: string; onShow: () => void; onSave: () => void }) {
  return (
    <Note
      tone="warn"
      icon="tri"
      actions={
        <span class="row">
          <Button look="sm" onClick={props.onShow}>
            Show their version
          </Button>
          <Button look="sm" onClick={props.onSave}>
            Save mine
          </Button>
        </span>
      }
    >
      <div role="status">
        <b>Changed meanwhile.</b> {props.message} Nothing was saved; the form keeps your changes.
      </div>
    </Note>
  );
}
