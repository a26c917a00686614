/** Values that forms and samples share: the tenant, the community, and ids that responses had. In memory only. */
type Listener = (name: string, value: string) => void;

export const SHARED = ["tenantId", "communityId", "webhookId", "deliveryId", "replayId"];
const values = new Map<string, string>();
const listeners = new Set<Listener>();

export const known = (name: string): string | undefined => values.get(name);

export function setValue(name: string, value: string): void {
  if (values.get(name) === value) return;
  values.set(name, value);
  for (const each of listeners) each(name, value);
}

export function onValue(listener: Listener): void {
  listeners.add(listener);
}

const ID_FIELDS = { _id: "webhookId", deliveryId: "deliveryId", replayId: "replayId" };

/** Take over the ids of a response: of the object that it is, or of the first in its page. */
export function learn(content: unknown): void {
  const page = (content as { data?: unknown } | null)?.data;
  const first = (Array.isArray(page) ? page[0] : content) as Record<string, unknown> | null;
  if (!first || typeof first !== "object") return;
  for (const [field, name] of Object.entries(ID_FIELDS)) {
    const value = first[field];
    if (typeof value === "string") setValue(name, value);
  }
}
