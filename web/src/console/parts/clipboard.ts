import { toast } from "./toast";

/** Copy a text and say so; `what` names it: "webhook id". */
export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(`Copied the ${what}`);
  } catch {
    toast(`The browser did not allow to copy the ${what}`);
  }
}
