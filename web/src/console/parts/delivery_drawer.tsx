import type { Session } from "../session";

/** One delivery beside the list that it was opened from; nothing without an id. */
export function DeliveryDrawer(_: {
  session: Session;
  id: string | undefined;
  nameOf: (webhookId: string) => string;
}) {
  return null;
}
