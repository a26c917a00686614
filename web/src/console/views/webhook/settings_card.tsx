/** A webhook's settings; those that it leaves to the deployment are named as such. */
import { useState } from "preact/hooks";
import { SigningSecret } from "../../parts/signing_secret";
import { Button, When } from "../../parts/ui";
import type { Session } from "../../state/session";
import type { Webhook } from "../../state/types";
import { createdAt, host } from "../../text/format";
import type { Json } from "../../text/json_text";
import { FilterWords } from "./filter_words";

const SHOWN = 8;
const NO_ANSWER = 0;

export function SettingsCard(props: {
  session: Session;
  webhook: Webhook;
  query: Json | undefined;
  secretVersion: number;
}) {
  const { webhook } = props;
  const { api } = webhook;
  return (
    <aside class="card" aria-labelledby="settings-title">
      <header>
        <h2 id="settings-title">Settings</h2>
        <span class="push">
          <Button look="sm quiet" href={`#/webhooks/${webhook._id}/edit`} label="Edit settings">
            Edit
          </Button>
        </span>
      </header>
      <div class="body">
        <dl class="kv">
          <dt>Events</dt>
          <dd>
            <Events names={webhook.eventNames} />
          </dd>
          <dt>Filter</dt>
          <dd>
            <FilterWords query={props.query} criteria={webhook.criteria} />
          </dd>
          <dt>Authentication</dt>
          <dd>
            <Authentication webhook={webhook} />
          </dd>
          {api.oAuthTokenUrl && (
            <>
              <dt>Token from</dt>
              <dd>{host(api.oAuthTokenUrl)}</dd>
            </>
          )}
          {Boolean(api.oAuthScopes?.length) && (
            <>
              <dt>Scopes</dt>
              <dd>{api.oAuthScopes!.join(", ")}</dd>
            </>
          )}
          <dt>Success</dt>
          <dd>{webhook.successCodes.join(", ")}</dd>
          <dt>Retry on</dt>
          <dd>{retryOn(webhook)}</dd>
          <dt>Retries</dt>
          <dd>{webhook.retryCount || "none"}</dd>
          <dt>Time to answer</dt>
          <dd>{webhook.ttl ? `${webhook.ttl} s` : "default"}</dd>
          <dt>Rate limit</dt>
          <dd>{webhook.rateLimit ? `${webhook.rateLimit} per second` : "none"}</dd>
          <dt>Recovery</dt>
          <dd>{recovery(webhook.recover)}</dd>
          <dt>Signing secret</dt>
          <dd>
            <SigningSecret key={props.secretVersion} session={props.session} webhookId={webhook._id} />
          </dd>
          <dt>Tags</dt>
          <dd>
            <Tags tags={webhook.tags ?? []} />
          </dd>
          <dt>Created</dt>
          <dd>
            <When at={createdAt(webhook._id)} />
            {webhook.createdBy && ` by ${webhook.createdBy}`}
          </dd>
        </dl>
      </div>
    </aside>
  );
}

function Events({ names }: { names: string[] }) {
  const [isWhole, showAll] = useState(false);
  return (
    <div class="names">
      {(isWhole ? names : names.slice(0, SHOWN)).map((each) => (
        <span key={each} class="evt wrap">
          {each}
        </span>
      ))}
      {names.length > SHOWN && (
        <Button look="sm quiet" onClick={() => showAll(!isWhole)}>
          {isWhole ? "Show less" : `Show all ${names.length}`}
        </Button>
      )}
    </div>
  );
}

const WORDS: Record<string, string> = {
  api_key: "API key",
  oauth2: "OAuth 2",
  basic: "basic",
  bearer: "bearer",
};

function Authentication({ webhook }: { webhook: Webhook }) {
  const type = webhook.api.authType ?? "none";
  if (type === "none") return <>none</>;
  return (
    <>
      {WORDS[type] ?? type}, <span class="mono">••••••</span>
    </>
  );
}

function retryOn({ retryCodes }: Webhook): string {
  if (!retryCodes?.length) return "default: no answer, 408, 425, 429, 5xx";
  return retryCodes.map((each) => (each === NO_ANSWER ? "no answer" : each)).join(", ");
}

function recovery(recover: boolean | undefined): string {
  if (recover === undefined) return "default";
  return recover ? "dead deliveries are sent once more after an outage" : "off";
}

function Tags({ tags }: { tags: string[] }) {
  if (!tags.length) return <>none</>;
  return (
    <span class="row tight">
      {tags.map((each) => (
        <span key={each} class="tag wrap">
          {each}
        </span>
      ))}
    </span>
  );
}
