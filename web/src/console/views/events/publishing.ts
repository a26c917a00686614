/** Publishes an event: once, also where a request is sent again after an answer was lost. */
import { JsonText } from "../../../shared/client";
import type { Publication } from "../../state/drafts";
import { inScope, type Session } from "../../state/session";
import { memberText, syntaxProblem } from "../../text/exact";

/** An event that the service accepted. `at`: its time, as Explain takes it. */
export interface Accepted {
  name: string;
  eventId: string;
  at: string;
}

/** Id and time of an event that has none of its own: the same for every try, so that a repeat is no new event. */
export interface Identity {
  eventId: string;
  at: string;
}

export const newIdentity = (): Identity => ({
  eventId: crypto.randomUUID(),
  at: new Date().toISOString(),
});

/** Return the sentences about an event that need no service, by field. */
export function problemsOfPublication({ name, data }: Publication): Record<string, string> {
  const problems: Record<string, string> = {};
  if (!name.trim()) problems.eventName = "Give the event a name.";
  const syntax = data.trim() ? syntaxProblem(data) : "Give the data: a JSON object.";
  if (syntax) problems.data = syntax;
  return problems;
}

/** Publish. Throws ApiError. */
export async function publish(
  { client, scope }: Session,
  { name, data, eventId }: Publication,
  own: Identity,
): Promise<Accepted> {
  const parts = [`"data":${data}`];
  // Data of the platform's clients has the event's id and time in it.
  const given = eventId.trim() || (memberText(data, "event_id") === undefined ? own.eventId : "");
  if (given) parts.push(`"eventId":${JSON.stringify(given)}`);
  const time = memberText(data, "event_ts");
  if (time === undefined) parts.push(`"occurredAt":"${own.at}"`);
  const path = inScope(scope, "event", name.trim());
  const { text } = await client.response("PUT", path, new JsonText(`{${parts.join(",")}}`));
  const accepted = JSON.parse(text) as { eventId: string };
  return { name: name.trim(), eventId: accepted.eventId, at: time?.replace(/^"|"$/g, "") ?? own.at };
}

/** Write the event in the native shape, for Explain. */
export function asEvent({ scope }: Session, { name, data, eventId }: Publication): string {
  const members = [
    ["eventName", JSON.stringify(name.trim())],
    ["eventId", JSON.stringify(eventId.trim())],
    ["tenantId", JSON.stringify(scope.tenant)],
    ["communityId", JSON.stringify(scope.community)],
    ["data", data],
  ].filter(([member]) => member !== "eventId" || eventId.trim());
  return `{${members.map(([member, value]) => `"${member}":${value}`).join(",")}}`;
}
