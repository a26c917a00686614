/** A webhook's name, address and actions. */
import { Fragment } from "preact";
import { Icon } from "../../parts/icons";
import { Button, Copy, Head, Pill } from "../../parts/ui";
import { link } from "../../state/router";
import type { ShownWebhook } from "../../state/types";
import { counted } from "../../text/health";

/** An action that is under way: the verb that its button shows meanwhile. */
export type Busy = "Pausing" | "Resuming" | "Enabling" | "";

export function Crumb({ id }: { id: string }) {
  return (
    <nav class="crumb" aria-label="Breadcrumb">
      <a href="#/webhooks">Webhooks</a>
      <Icon name="right" />
      <span class="mono clip">{id}</span>
      <Copy text={id} what="webhook id" />
    </nav>
  );
}

export function WebhookHead(props: {
  id: string;
  webhook?: ShownWebhook;
  busy: Busy;
  onPause: (paused: boolean) => void;
  onEnable: () => void;
}) {
  const { id, webhook } = props;
  return (
    <Head
      crumb={<Crumb id={id} />}
      title={webhook ? <Title webhook={webhook} /> : "Webhook"}
      sub={webhook && <Address webhook={webhook} />}
    >
      {webhook && <Actions {...props} webhook={webhook} />}
    </Head>
  );
}

function Title({ webhook }: { webhook: ShownWebhook }) {
  const { states, held } = webhook.health;
  return (
    <span class="row">
      <span class="wrap">{webhook.name}</span>{" "}
      {states.map((state) => (
        // With a space: the heading is also a text, the document's title.
        <Fragment key={state}>
          <Pill kind={state} text={state === "held" && held ? `${counted(held)} held` : undefined} />{" "}
        </Fragment>
      ))}
      {held > 0 && !states.includes("held") && <Pill kind="held" text={`${counted(held)} held`} />}
    </span>
  );
}

function Address({ webhook }: { webhook: ShownWebhook }) {
  const { type, url } = webhook.api;
  return (
    <span class="row tight nw">
      <span class="tag">{type ?? "POST"}</span> <span class="mono clip">{url}</span>
      <Copy text={url} what="URL" />
    </span>
  );
}

function Actions(props: {
  webhook: ShownWebhook;
  busy: Busy;
  onPause: (paused: boolean) => void;
  onEnable: () => void;
}) {
  const { webhook, busy } = props;
  return (
    <>
      <Button look="primary" icon="send" href={link({ dialog: "test" })}>
        Send test event
      </Button>
      {webhook.disabled ? (
        <Button icon="play" busy={busy} onClick={props.onEnable}>
          Enable
        </Button>
      ) : (
        <Button
          icon={webhook.paused ? "play" : "pause"}
          busy={busy}
          onClick={() => props.onPause(!webhook.paused)}
        >
          {webhook.paused ? "Resume" : "Pause"}
        </Button>
      )}
      <Button href={`#/webhooks/${webhook._id}/edit`}>Edit</Button>
      <Button href={link({ dialog: "rotate" })}>Rotate secret</Button>
      <Button look="danger" href={link({ dialog: "delete" })}>
        Delete
      </Button>
    </>
  );
}
