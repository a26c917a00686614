/** A page in place of a view that could not be loaded: the API's sentence, and the next step. */
import type { ComponentChildren } from "preact";
import type { ApiError } from "../../shared/client";
import { askAgain } from "../state/session";
import { duration, SECOND } from "../text/format";
import { Icon, type IconName } from "./icons";
import { Button, Countdown } from "./ui";

const TITLES: Record<number, string> = {
  [-1]: "The page failed",
  0: "No connection",
  400: "The service refused the request",
  401: "The service did not accept your keys",
  403: "Your license does not reach this",
  404: "It does not exist",
  405: "The service refused the request",
  409: "Changed meanwhile",
  413: "The request is too large",
  429: "Too many requests",
  500: "The service failed",
  502: "The service is not ready",
  503: "The service is not ready",
  504: "The service is not ready",
};

function titleOf(status: number): string {
  if (status >= 200 && status < 400) return "Not a response of the service";
  return TITLES[status] ?? (status < 500 ? "The service refused the request" : "The service failed");
}

/** The next step, where the sentence does not say it. */
export function hintOf(error: ApiError): string | undefined {
  if (error.status === 401 && /\bts must be/.test(error.message)) {
    const by = error.clockAhead;
    if (by === undefined) return "Your computer's clock is probably slow or fast.";
    return `Your computer's clock is probably ${by < 0 ? "slow" : "fast"} by ${duration(Math.abs(by) * SECOND)}. Set it.`;
  }
  if (error.status === 403) return "The service's operator can issue one that does.";
  return undefined;
}

export function Trouble(props: {
  error: ApiError;
  title?: string;
  retryAt?: number;
  onRetry?: () => void;
  children?: ComponentChildren;
}) {
  const { error } = props;
  const waits = error.status === 429;
  const icon: IconName = waits ? "clock" : error.status === 0 ? "wifi" : "tri";
  const hint = hintOf(error);
  return (
    <div class="empty" role="alert">
      <span class={`pill tinted k-${waits ? "warn" : "bad"}`}>
        <Icon name={icon} />
        {error.status > 0 ? error.status : "Error"}
      </span>
      <h2>{props.title ?? titleOf(error.status)}</h2>
      <p>{error.message}</p>
      {hint && <p>{hint}</p>}
      {props.retryAt && (
        <p class="meta">
          The page tries again by itself in <Countdown until={props.retryAt} />.
        </p>
      )}
      {error.requestId && <p class="meta">Request {error.requestId}</p>}
      <div class="row">
        {props.children}
        {error.status === 401 && (
          <Button look="primary" icon="lock" onClick={askAgain}>
            Connect again
          </Button>
        )}
        {props.onRetry && error.status !== 401 && <Button onClick={props.onRetry}>Try again now</Button>}
      </div>
    </div>
  );
}
