/** Text that is used a little later than it is typed. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

const PAUSE_MS = 250;

export interface Draft {
  text: string;
  /** Show it, and use it not yet. */
  edit: (text: string) => void;
  /** Use it when the typing stops. */
  type: (text: string) => void;
  /** Use it now. */
  settle: (text: string) => void;
}

/** `used`: what is used now. Where something else changes it, such as Back, the field follows. */
export function useDraft(used: string, use: (text: string) => void): Draft {
  const [text, set] = useState(used);
  const last = useRef(used);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // Before the next key: an effect after the paint would take back what is typed meanwhile.
  useLayoutEffect(() => {
    if (used === last.current) return;
    last.current = used;
    clearTimeout(timer.current);
    set(used);
  }, [used]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const edit = (next: string) => {
    clearTimeout(timer.current);
    set(next);
  };
  const settle = (next: string) => {
    edit(next);
    if (next === last.current) return;
    last.current = next;
    use(next);
  };
  const type = (next: string) => {
    edit(next);
    timer.current = setTimeout(() => settle(next), PAUSE_MS);
  };
  return { text, edit, type, settle };
}
