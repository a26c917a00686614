/** A delivery with its payload, which is shown as it came: numbers stay as they were written. */
import type { Delivery } from "../state/types";
import { memberText } from "../text/exact";

export interface Shown {
  delivery: Delivery;
  payload?: string;
}

export const readShown = (text: string): Shown => ({
  delivery: JSON.parse(text) as Delivery,
  payload: memberText(text, "payload"),
});
