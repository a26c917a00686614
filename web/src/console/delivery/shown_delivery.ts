/** A delivery as the API shows it, with its payload where that is kept. */
import type { Delivery } from "../state/types";

export interface Shown {
  delivery: Delivery;
  payload?: string;
}

/** The payload is the last field, and its text is shown as it came: numbers stay as they were written. */
export function readShown(text: string): Shown {
  const name = ',"payload":';
  const at = text.indexOf(name);
  return {
    delivery: JSON.parse(text) as Delivery,
    payload: at < 0 ? undefined : text.slice(at + name.length, text.lastIndexOf("}")),
  };
}
