/** A line at the bottom of the page for five seconds: the action, with Undo where that is possible. */
import { useEffect, useState } from "preact/hooks";
import { onEnd } from "../state/session";

interface Shown {
  text: string;
  undo?: () => void;
}

const SHOWN_MS = 5000;
let show: (next: Shown | undefined) => void = () => undefined;

// Undo would act with the keys of before.
onEnd(() => show(undefined));

export function toast(text: string, undo?: () => void): void {
  show({ text, undo });
}

export function Toast() {
  const [shown, set] = useState<Shown>();
  show = set;
  useEffect(() => {
    if (!shown) return;
    const timer = setTimeout(() => set(undefined), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [shown]);
  return (
    <div role="status">
      {shown && (
        <div class="toast">
          {shown.text}
          {shown.undo && (
            <button
              type="button"
              onClick={() => {
                set(undefined);
                shown.undo?.();
              }}
            >
              Undo
            </button>
          )}
        </div>
      )}
    </div>
  );
}
