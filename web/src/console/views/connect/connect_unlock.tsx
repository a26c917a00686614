/** Opens the keys that this tab remembers. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Button, FieldBlock, Input } from "../../parts/ui";
import { forget, type Remembered, recall } from "../../state/kept_keys";
import { asApiError } from "../../state/load";
import { connect } from "../../state/session";
import { type Problem, problemOf } from "./connect_problem";

interface UnlockProps {
  onDone: () => void;
  onForgotten: () => void;
  /** The keys are open, and could not be used. */
  onRefused: (content: Remembered, problem: Problem) => void;
}

export function Unlock({ onDone, onForgotten, onRefused }: UnlockProps) {
  const [passphrase, setPassphrase] = useState("");
  const [wrong, setWrong] = useState("");
  const [isBusy, setBusy] = useState(false);
  const isOver = useRef(false);
  useEffect(
    () => () => {
      isOver.current = true;
    },
    [],
  );
  const unlock = async () => {
    setBusy(true);
    let content: Remembered;
    try {
      content = await recall(passphrase);
    } catch (failure) {
      if (isOver.current) return;
      setWrong(asApiError(failure).message);
      setBusy(false);
      document.getElementById("passphrase")?.focus();
      return;
    }
    try {
      await connect(content.who, content.scope, () => {
        if (isOver.current) throw new Error("The keys were forgotten.");
      }); // else they stay remembered
      onDone();
    } catch (failure) {
      if (!isOver.current) onRefused(content, problemOf(failure));
    }
  };
  return (
    <form
      class="card"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBusy) unlock();
      }}
    >
      <div class="body">
        <p>This tab remembers your keys, encrypted.</p>
        <FieldBlock id="passphrase" label="Passphrase" error={wrong}>
          <Input
            id="passphrase"
            type="password"
            value={passphrase}
            error={wrong}
            onValue={(next) => {
              setPassphrase(next);
              setWrong("");
            }}
          />
        </FieldBlock>
        <div class="row">
          <Button type="submit" look="primary" icon="lock" busy={isBusy && "Connecting"}>
            Connect
          </Button>
          <span class="push" />
          <Button
            look="quiet"
            onClick={() => {
              forget();
              onForgotten();
            }}
          >
            Forget them
          </Button>
        </div>
      </div>
    </form>
  );
}
