/** The sample events that ship with the service, from the repository's events/. */
import eventbridge from "../../../../events/eventbridge.json?raw";
import native from "../../../../events/native.json?raw";
import platform from "../../../../events/platform.json?raw";
import { pretty } from "../parts/code";
import { memberText } from "../text/exact";
import type { Scope } from "./session";

export interface Sample {
  name: string;
  /** The event whole, in the format that its file shows, of the community. */
  event: string;
  /** Its data, for an event that is published anew. */
  data: string;
}

/** Id, time and community are those of the event that is published. */
const OWN = /^ {2}"(?:event_id|event_ts|event_name|tenant_id|tenantId|community_id|communityId)": .*,\n/gm;

export function samplesFor(scope: Scope): Sample[] {
  return [
    made(scope, native, "eventName", "data"),
    made(scope, platform, "event_name"),
    made(scope, eventbridge, "detail-type", "detail"),
  ];
}

function made(scope: Scope, text: string, nameMember: string, dataMember?: string): Sample {
  const event = text
    .trim()
    .replace(/("(?:tenantId|tenant_id)": )"[^"]*"/g, (_, name) => name + JSON.stringify(scope.tenant))
    .replace(
      /("(?:communityId|community_id)": )"[^"]*"/g,
      (_, name) => name + JSON.stringify(scope.community),
    );
  const data = dataMember ? memberText(event, dataMember)! : event;
  return { name: JSON.parse(memberText(event, nameMember)!), event, data: pretty(data).replace(OWN, "") };
}
