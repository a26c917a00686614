/** After a creation: the signing secret, and a test event as the next step. */
import { useEffect } from "preact/hooks";
import { Dialog } from "../../parts/dialog";
import { openSecret } from "../../parts/signing_secret";
import { Button, Copy, Countdown, FieldBlock, Input, Note } from "../../parts/ui";
import { useLoad } from "../../state/load";
import { link } from "../../state/router";
import { inScope, type Session } from "../../state/session";
import { createdSecret, forgetCreatedSecret } from "../webhook_form/created_secret";

const ID = "created-secret";

export function CreatedDialog(props: { session: Session; webhookId: string; onClose: () => void }) {
  const { session, webhookId } = props;
  useEffect(() => forgetCreatedSecret, []);
  // The response of the creation had it; after a reload it is asked for.
  const { data, error, retryAt, reload } = useLoad(
    async () =>
      createdSecret(webhookId) ??
      (await openSecret(session, "GET", inScope(session.scope, "webhook", webhookId, "secret"))),
    [webhookId],
  );
  return (
    <Dialog
      title="Webhook created"
      onClose={props.onClose}
      footer={
        <>
          <Button onClick={props.onClose}>Done</Button>
          <Button look="primary" icon="send" href={link({ dialog: "test" })}>
            Send test event
          </Button>
        </>
      }
    >
      <p>
        Use the signing secret to verify callbacks with any Standard Webhooks library. You can show it again
        later.
      </p>
      {data === undefined && error ? (
        <Note
          tone="bad"
          icon="tri"
          actions={
            <Button look="sm" onClick={reload}>
              Try again
            </Button>
          }
        >
          <b>The signing secret could not be loaded.</b> {error.message}
          {retryAt && (
            <>
              {" "}
              The page tries again by itself in <Countdown until={retryAt} />.
            </>
          )}
        </Note>
      ) : (
        <FieldBlock id={ID} label="Signing secret">
          <div class="row nw">
            <Input id={ID} value={data ?? ""} placeholder="Loading" look="mono" readOnly />
            {data && <Copy text={data} what="signing secret" />}
          </div>
        </FieldBlock>
      )}
    </Dialog>
  );
}
