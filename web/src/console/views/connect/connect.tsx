/** Takes key pair and license; they stay in this tab. */
import { useState } from "preact/hooks";
import { BASE } from "../../../shared/client";
import { Brand } from "../../shell/brand";
import { isRemembered, type Remembered } from "../../state/kept_keys";
import { parse, replace } from "../../state/router";
import type { Asked } from "../../state/session";
import { ConnectForm, NOTHING } from "./connect_form";
import type { Problem } from "./connect_problem";
import { Unlock } from "./connect_unlock";

interface ConnectProps {
  /** The known part of the form, and why the page asks. */
  asked?: Asked;
}

export function Connect({ asked }: ConnectProps) {
  const [isLocked, setLocked] = useState(!asked && isRemembered());
  const [recalled, setRecalled] = useState<{ content: Remembered; problem: Problem }>();
  const done = () => {
    const [view = "connect"] = parse().path;
    if (view === "connect") replace("#/webhooks");
  };
  const { who, scope } = recalled?.content ?? {};
  return (
    <div class="connect">
      <main id="main" class="cols">
        <div class="stack">
          <Brand />
          <h1 tabIndex={-1}>{asked?.keyId && !asked.error ? "Connect again" : "Connect"}</h1>
          <p class="ink2">Sign in with the key pair and license that your platform's clients use.</p>
          {!globalThis.crypto?.subtle ? (
            <Insecure />
          ) : isLocked ? (
            <Unlock
              onDone={done}
              onForgotten={() => setLocked(false)}
              onRefused={(content, problem) => {
                setRecalled({ content, problem });
                setLocked(false);
              }}
            />
          ) : (
            <ConnectForm
              start={{ ...NOTHING, ...asked, ...who, ...scope }}
              problem={recalled?.problem ?? (asked?.error ? { message: asked.error } : undefined)}
              onDone={done}
            />
          )}
        </div>
        <Explanation />
      </main>
    </div>
  );
}

/** Browsers encrypt only on pages that cannot be changed on their way. */
function Insecure() {
  return (
    <div class="card">
      <div class="empty" role="alert">
        <h2>This page needs HTTPS</h2>
        <p>
          Your browser encrypts only on pages that came by HTTPS, or from this machine. Open the console as{" "}
          <code>
            https://{location.host}
            {new URL("console", BASE).pathname}
          </code>
          .
        </p>
      </div>
    </div>
  );
}

function Explanation() {
  return (
    <aside class="stack l" aria-label="How your keys are used">
      <div>
        <h2>Your private key never leaves this browser</h2>
        <p class="ink2">Nothing but the three headers below goes over the network to prove who you are.</p>
      </div>
      <ol class="flow">
        <li>
          <h3>This page makes a shared key</h3>
          <p>
            Your private key and the service's public key give a shared key (ECDH). Only the service can make
            the same one.
          </p>
        </li>
        <li>
          <h3>Every request gets three fresh headers</h3>
          <p>
            The license and a timestamp are encrypted with the shared key (AES-GCM). A copied header stops
            working after two minutes.
          </p>
          <pre class="code wrap">
            <span class="k">publickey:</span>
            {"  q0dF3m8wKc1Vt5Zb…\n"}
            <span class="k">licensekey:</span>
            {" K3v0bJx9s1…Qw==  "}
            <span class="r">your license, encrypted</span>
            {"\n"}
            <span class="k">requestid:</span>
            {"  9fTzYq0Lma…aA==  "}
            <span class="r">time and new id, encrypted</span>
          </pre>
        </li>
        <li>
          <h3>The service answers, and this page opens it</h3>
          <p>Secrets in responses are encrypted for your key and are opened here.</p>
        </li>
      </ol>
      <p class="meta">Check it yourself: open your browser's network panel. The page asks no other host.</p>
    </aside>
  );
}
