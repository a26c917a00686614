/** Replaces the signing secret, and shows the new one. */
import { useState } from "preact/hooks";
import type { ApiError } from "../../../shared/client";
import { Dialog } from "../../parts/dialog";
import { openSecret } from "../../parts/signing_secret";
import { toast } from "../../parts/toast";
import { Button, Copy, Input, Note } from "../../parts/ui";
import { asApiError } from "../../state/load";
import { inScope, type Session } from "../../state/session";
import { sentence } from "../../text/health";

export function RotateDialog(props: {
  session: Session;
  webhookId: string;
  onRotated: () => void;
  onClose: () => void;
}) {
  const { session, onClose } = props;
  const [secret, show] = useState<string>();
  const [error, fail] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  const rotate = async () => {
    setBusy(true);
    fail(undefined);
    try {
      const path = inScope(session.scope, "webhook", props.webhookId, "secret", "rotate");
      show(await openSecret(session, "POST", path));
      toast("Secret rotated. The old one works for 24 hours");
      props.onRotated();
    } catch (failure) {
      fail(asApiError(failure));
    } finally {
      setBusy(false);
    }
  };
  if (secret)
    return (
      <Dialog
        key="rotated"
        title="Signing secret rotated"
        onClose={onClose}
        footer={
          <Button look="primary" onClick={onClose}>
            Done
          </Button>
        }
      >
        <div class="lab1">
          <label for="new-secret">New signing secret</label>
          <div class="row nw">
            <Input id="new-secret" look="mono" value={secret} readOnly />
            <Copy text={secret} what="signing secret" />
          </div>
        </div>
        <Note tone="warn" icon="clock">
          Put it into your endpoint within <b>24 hours</b>. Until then every callback carries both signatures;
          after that the old secret stops verifying.
        </Note>
      </Dialog>
    );
  return (
    <Dialog
      key="ask"
      title="Rotate signing secret"
      onClose={onClose}
      footer={
        <>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="primary" busy={isBusy && "Rotating"} onClick={rotate}>
            Rotate secret
          </Button>
        </>
      }
    >
      <p>
        A new <code>whsec_</code> secret signs from now on. For 24 hours every callback carries both
        signatures, so your endpoint keeps verifying while you change it.
      </p>
      <Note tone="warn" icon="clock">
        After 24 hours the old secret stops verifying. Put the new one into your endpoint before then.
      </Note>
      {error && (
        <Note tone="bad" icon="tri">
          <b>The secret was not rotated.</b> {sentence(error.message)}
        </Note>
      )}
    </Dialog>
  );
}
