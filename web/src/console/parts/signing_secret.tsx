/** A webhook's signing secret: asked for when it is wanted, opened in the page, shown or copied. */
import { useState } from "preact/hooks";
import { asApiError } from "../state/load";
import { inScope, type Session } from "../state/session";
import { copyText } from "./clipboard";
import { Icon } from "./icons";
import { Button, IconButton } from "./ui";

export async function openSecret(session: Session, method: "GET" | "POST", path: string): Promise<string> {
  const sealed = await session.client.call<{ signingSecret: string }>(method, path);
  const opened = (await session.client.open(sealed)) as { signingSecret: string };
  return opened.signingSecret;
}

export function SigningSecret({ session, webhookId }: { session: Session; webhookId: string }) {
  const [secret, show] = useState<string>();
  const [error, fail] = useState("");
  const [isBusy, setBusy] = useState(false);
  /** Return the secret; undefined, and the reason shown, where the service does not give it. */
  const ask = async (): Promise<string | undefined> => {
    setBusy(true);
    fail("");
    try {
      return await openSecret(session, "GET", inScope(session.scope, "webhook", webhookId, "secret"));
    } catch (failure) {
      fail(asApiError(failure).message);
      return undefined;
    } finally {
      setBusy(false);
    }
  };
  const toggle = async () => show(secret ? undefined : await ask());
  const copy = async () => {
    const text = secret ?? (await ask());
    if (text) await copyText(text, "signing secret");
  };
  return (
    <>
      <span class="row tight nw">
        <span class={`mono ${secret ? "wrap" : "nowrap"}`}>{secret ?? "whsec_••••••"}</span>
        <Button
          look="sm quiet"
          busy={isBusy && "Opening"}
          onClick={toggle}
          label={`${secret ? "Hide" : "Show"} signing secret`}
        >
          {secret ? "Hide" : "Show"}
        </Button>
        <IconButton icon="copy" label="Copy signing secret" onClick={copy} />
      </span>
      {error && (
        <p class="err" role="alert">
          <Icon name="tri" />
          {error}
        </p>
      )}
    </>
  );
}
