/** The key pair of the connect page: one that the person has, or one that the page makes. */
import { useEffect, useRef, useState } from "preact/hooks";
import { service } from "../../../shared/client";
import { type Curve, type KeyPair, newPair } from "../../../shared/protocol";
import { Button, Copy, FieldBlock, Input, Note } from "../../parts/ui";
import { asApiError } from "../../state/load";

export type MadePair = KeyPair & { curve: Curve };
type Errors = { keyId?: string; keySecret?: string };

interface PairFields {
  pair: KeyPair;
  errors: Errors;
  onPair: (change: Partial<KeyPair>) => void;
}

/** A private key: hidden until a person wants to see it. */
function PrivateKey(props: { value: string; error?: string; onValue?: (value: string) => void }) {
  const [isShown, show] = useState(false);
  return (
    <>
      <Input
        id="keySecret"
        type={isShown ? "text" : "password"}
        look="mono"
        value={props.value}
        error={props.error}
        onValue={props.onValue}
        readOnly={!props.onValue}
        describedBy="keySecret-hint"
      />
      <Button
        look="sm"
        pressed={isShown}
        label={`${isShown ? "Hide" : "Show"} private key`}
        onClick={() => show(!isShown)}
      >
        {isShown ? "Hide" : "Show"}
      </Button>
    </>
  );
}

/** Fields for a pair that exists. */
export function OwnPair({ pair, errors, onPair }: PairFields) {
  const file = useRef<HTMLInputElement>(null);
  const [wrong, setWrong] = useState("");
  const read = async () => {
    const chosen = file.current?.files?.[0];
    if (!chosen) return;
    file.current!.value = "";
    try {
      onPair(readKeyFile(await chosen.text()));
      setWrong("");
    } catch {
      setWrong("The file holds no key pair: it is JSON with publicKey and privateKey.");
    }
  };
  return (
    <>
      <FieldBlock id="keyId" label="Public key" error={errors.keyId}>
        <Input
          id="keyId"
          look="mono"
          value={pair.keyId}
          error={errors.keyId}
          onValue={(keyId) => onPair({ keyId })}
        />
      </FieldBlock>
      <FieldBlock
        id="keySecret"
        label="Private key"
        error={errors.keySecret ?? wrong}
        hint={
          <>
            Base64 of the number, as <code>webhooks keys new</code> writes it. The public key is checked
            against it here.{" "}
            <button type="button" class="linklike" onClick={() => file.current?.click()}>
              Open a key file
            </button>
          </>
        }
      >
        <div class="row nw">
          <PrivateKey
            value={pair.keySecret}
            error={errors.keySecret ?? wrong}
            onValue={(keySecret) => {
              setWrong("");
              onPair({ keySecret });
            }}
          />
        </div>
      </FieldBlock>
      <input ref={file} type="file" accept=".json,.key,.txt" hidden aria-label="Key file" onChange={read} />
    </>
  );
}

function readKeyFile(text: string): KeyPair {
  const { publicKey, privateKey } = JSON.parse(text);
  if (typeof publicKey !== "string" || typeof privateKey !== "string") throw new Error("no key pair");
  return { keyId: publicKey, keySecret: privateKey };
}

/** A pair that is made here, on the service's curve. */
export function NewPair(props: { pair?: MadePair; onPair: (pair: MadePair) => void }) {
  const { pair } = props;
  const [problem, setProblem] = useState("");
  const make = async () => {
    setProblem("");
    try {
      const { curve } = await service();
      props.onPair({ ...(await newPair(curve)), curve });
    } catch (failure) {
      setProblem(asApiError(failure).message);
    }
  };
  useEffect(() => {
    if (!pair) make();
  }, []);
  if (problem)
    return (
      <Note
        tone="bad"
        icon="tri"
        actions={
          <Button look="sm" onClick={make}>
            Try again
          </Button>
        }
      >
        {problem}
      </Note>
    );
  return (
    <>
      <Note tone="warn" icon="key">
        <b>Save the private key now.</b> It exists in this tab only, and cannot be shown again. Without it,
        secrets that the service encrypts for you stay closed.
      </Note>
      <FieldBlock id="keyId" label="Public key">
        <div class="row nw">
          <Input id="keyId" look="mono" value={pair?.keyId ?? ""} readOnly />
          <Copy text={pair?.keyId ?? ""} what="public key" />
        </div>
      </FieldBlock>
      <FieldBlock id="keySecret" label="Private key">
        <div class="row nw">
          <PrivateKey value={pair?.keySecret ?? ""} />
          <Copy text={() => pair?.keySecret ?? ""} what="private key" />
        </div>
      </FieldBlock>
      <div class="row">
        <Button look="sm" disabled={!pair} onClick={() => pair && download(pair)}>
          Download key file
        </Button>
        {pair && <span class="meta">{pair.curve}, the curve of this service's keys</span>}
      </div>
    </>
  );
}

/** Save the pair as a file that `webhooks --key-file` reads too. */
function download(pair: MadePair): void {
  const content = { curve: pair.curve, publicKey: pair.keyId, privateKey: pair.keySecret };
  const url = URL.createObjectURL(new Blob([`${JSON.stringify(content, null, 2)}\n`]));
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = "webhooks-key.json";
  anchor.click();
  URL.revokeObjectURL(url);
}
