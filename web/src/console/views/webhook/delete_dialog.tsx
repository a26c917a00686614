/** Deletes a webhook, after its name was typed. */
import { useState } from "preact/hooks";
import type { ApiError } from "../../../shared/client";
import { Dialog } from "../../parts/dialog";
import { toast } from "../../parts/toast";
import { Button, Input, Note } from "../../parts/ui";
import { asApiError } from "../../state/load";
import { go } from "../../state/router";
import { inScope, type Session } from "../../state/session";
import type { ShownWebhook } from "../../state/types";
import { counted, sentence } from "../../text/health";

/** As the browser shows it: a run of spaces is one. */
const plain = (name: string) => name.trim().replace(/\s+/g, " ");

export function DeleteDialog(props: { session: Session; webhook: ShownWebhook; onClose: () => void }) {
  const { session, webhook, onClose } = props;
  const [typed, type] = useState("");
  const [error, fail] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  const isConfirmed = plain(typed) === plain(webhook.name);
  const remove = async () => {
    if (!isConfirmed) return;
    setBusy(true);
    fail(undefined);
    try {
      await session.client.call("DELETE", inScope(session.scope, "webhook", webhook._id));
      go("#/webhooks");
      toast("Webhook deleted");
    } catch (failure) {
      fail(asApiError(failure));
      setBusy(false);
    }
  };
  const { held } = webhook.health;
  return (
    <Dialog
      title="Delete webhook"
      onClose={onClose}
      onSubmit={remove}
      footer={
        <>
          {!isConfirmed && <span class="meta push">Type the name first</span>}
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="danger primary" type="submit" disabled={!isConfirmed} busy={isBusy && "Deleting"}>
            Delete webhook
          </Button>
        </>
      }
    >
      <p>
        {held > 0 && (
          <>
            Deliveries that wait (<b>{counted(held)} held</b>) are not sent: they end dead.{" "}
          </>
        )}
        Events are no longer sent to it. This cannot be undone.
      </p>
      <div class="lab1">
        <label for="delete-name" class="wrap">
          Type <b>{webhook.name}</b> to confirm
        </label>
        <Input id="delete-name" value={typed} onValue={type} />
      </div>
      {error && (
        <Note tone="bad" icon="tri">
          <b>The webhook was not deleted.</b> {sentence(error.message)}
        </Note>
      )}
    </Dialog>
  );
}
