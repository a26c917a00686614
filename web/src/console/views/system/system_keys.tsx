/** The service's own key pairs, and their reset. The private keys stay in their envelopes. */
import { useState } from "preact/hooks";
import { Dialog } from "../../parts/dialog";
import { toast } from "../../parts/toast";
import { Trouble } from "../../parts/trouble";
import { Button, Copy, Note, SkeletonRows } from "../../parts/ui";
import { asApiError, useLoad } from "../../state/load";
import { go, link, useRoute } from "../../state/router";
import type { Session } from "../../state/session";
import type { ServiceKey } from "../../state/types";

const PURPOSES: Record<string, string> = {
  service: "Encrypts requests and responses, signs callbacks",
  signing: "Signs callbacks, for the JWKS",
};

export function KeysTab({ session }: { session: Session }) {
  const { dialog, key } = useRoute().query;
  const { data, error, retryAt, reload } = useLoad(
    (signal) => session.client.call<ServiceKey[]>("GET", "servicekeys", undefined, signal),
    [],
  );
  if (error && !data) return <Trouble error={error} retryAt={retryAt} onRetry={reload} />;
  const chosen = data?.find((each) => each.keyId === key);
  const close = () => go(link({ key: "" }));
  return (
    <div class="stack">
      <Note icon="help">
        A reset makes a new key, which is shown at <code>/publickeys</code> in six minutes, before anything is
        signed with it alone. The old key stays readable, and callbacks carry both signatures, for a day
        unless this deployment has another grace.
      </Note>
      <section class="scroll" aria-label="Service keys">
        <table class="tbl">
          <thead>
            <tr>
              <th>Tag</th>
              <th>Key id</th>
              <th class="narrow-out">Type</th>
              <th>
                <span class="vh">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {data?.map((each) => (
              <tr key={each.keyId}>
                <td>
                  <div class="two">
                    <b>{each.tag}</b>
                    <span class="meta">{PURPOSES[each.tag]}</span>
                  </div>
                </td>
                <td>
                  <span class="row tight nw">
                    <span class="mono">{each.keyId.slice(0, 16)}…</span>
                    <Copy text={each.keyId} what={`key id of ${each.tag}`} />
                  </span>
                </td>
                <td class="narrow-out">{each.type}</td>
                <td class="num">
                  <Button
                    look="sm danger"
                    label={`Reset… ${each.tag}`}
                    href={link({ dialog: "reset", key: each.keyId })}
                  >
                    Reset…
                  </Button>
                </td>
              </tr>
            ))}
            {!data && <SkeletonRows columns={["w2", "w2", "w1", "w1"]} count={2} />}
          </tbody>
        </table>
      </section>
      {dialog === "reset" && data && (
        <ResetDialog session={session} chosen={chosen} onClose={close} onDone={reload} />
      )}
    </div>
  );
}

interface ResetProps {
  session: Session;
  /** None where the link is of a key that is no longer the newest. */
  chosen?: ServiceKey;
  onClose: () => void;
  onDone: () => void;
}

function ResetDialog({ session, chosen, onClose, onDone }: ResetProps) {
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const reset = async () => {
    if (!chosen) return;
    setBusy(true);
    setProblem("");
    try {
      await session.client.call("DELETE", `servicekey/${encodeURIComponent(chosen.keyId)}`);
      onClose();
      onDone();
      toast("New key made. The old one is accepted meanwhile");
    } catch (failure) {
      setProblem(asApiError(failure).message);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={`Reset ${chosen?.tag ?? "service"} key`}
      onClose={onClose}
      footer={
        <>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="danger primary" disabled={!chosen} busy={isBusy && "Resetting"} onClick={reset}>
            Reset key
          </Button>
        </>
      }
    >
      {chosen ? (
        <>
          <p>
            The service makes a new key pair for <b>{chosen.tag}</b>. {EFFECTS[chosen.tag]}
          </p>
          <Note tone="warn" icon="clock">
            The old key counts for a day more (unless this deployment has another grace), then envelopes and
            signatures of it are refused. A reset cannot be undone.
          </Note>
        </>
      ) : (
        <p>This key was reset before, or is not of this service. The list shows the newest ones.</p>
      )}
      {problem && (
        <Note tone="bad" icon="tri">
          {problem}
        </Note>
      )}
    </Dialog>
  );
}

const EFFECTS: Record<string, string> = {
  service:
    "Clients that ask /publickeys get it within minutes. Requests that are encrypted for the old key are still read, and callbacks carry a signature of each key.",
  signing: "It is in the JWKS already. Callbacks carry a signature of each key.",
};
