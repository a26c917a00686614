/** Takes key pair and license; they stay in this tab. */
import { useState } from "preact/hooks";
import { Brand } from "../app";
import { asApiError } from "../load";
import { Button, FieldBlock, Input, Note } from "../parts/ui";
import { go, parse } from "../router";
import { connect } from "../session";

export function Connect() {
  const [fields, set] = useState({ keyId: "", keySecret: "", license: "", tenant: "", community: "" });
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const field = (name: keyof typeof fields, label: string, type: "text" | "password" = "text") => (
    <FieldBlock id={name} label={label}>
      <Input
        id={name}
        type={type}
        value={fields[name]}
        onValue={(value) => set({ ...fields, [name]: value })}
      />
    </FieldBlock>
  );
  const submit = async () => {
    setBusy(true);
    try {
      const { tenant, community, ...who } = fields;
      await connect(who, { tenant, community });
      if (parse().path[0] === "connect") go("#/webhooks");
    } catch (failure) {
      setError(asApiError(failure).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div class="connect">
      <main id="main" class="cols">
        <div class="stack">
          <Brand />
          <h1 tabIndex={-1}>Connect</h1>
          <form
            class="card"
            noValidate
            onSubmit={(event) => {
              event.preventDefault();
              submit();
            }}
          >
            <div class="body">
              {error && (
                <Note tone="bad" icon="tri">
                  {error}
                </Note>
              )}
              {field("keyId", "Public key")}
              {field("keySecret", "Private key", "password")}
              {field("license", "License")}
              {field("tenant", "Tenant")}
              {field("community", "Community")}
              <Button type="submit" look="primary" icon="lock" busy={busy && "Connecting"}>
                Connect
              </Button>
            </div>
          </form>
        </div>
      </main>
    </div>
  );
}
