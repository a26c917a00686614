/** A page in place of a view that could not be loaded: the API's sentence, and what to do. */
import type { ComponentChildren } from "preact";
import type { ApiError } from "../../shared/client";
import { change } from "../session";
import { Icon, type IconName } from "./icons";
import { Button, Countdown } from "./ui";

const TITLES: Record<number, string> = {
  [-1]: "The page failed",
  0: "No connection",
  400: "The service refused the request",
  401: "The service did not accept your keys",
  403: "Your license does not reach this",
  404: "It does not exist",
  409: "Changed meanwhile",
  429: "Too many requests",
  500: "The service failed",
  503: "The service is not ready",
};

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
  return (
    <div class="empty" role="alert">
      <span class={`pill tinted k-${waits ? "warn" : "bad"}`}>
        <Icon name={icon} />
        {error.status > 0 ? error.status : "Error"}
      </span>
      <h2>{props.title ?? TITLES[error.status] ?? "The service failed"}</h2>
      <p>{error.message}</p>
      {props.retryAt && (
        <p class="meta">
          The page tries again by itself in <Countdown until={props.retryAt} />.
        </p>
      )}
      {error.requestId && <p class="meta">Request {error.requestId}</p>}
      <div class="row">
        {props.children}
        {error.status === 401 && (
          <Button look="primary" onClick={() => change(undefined)}>
            Connect again
          </Button>
        )}
        {props.onRetry && error.status !== 401 && <Button onClick={props.onRetry}>Try again now</Button>}
      </div>
    </div>
  );
}
