/** An id alone judges no filter: the payload of one of its deliveries, where it is kept, has the event's data. */
import { useState } from "preact/hooks";
import { pretty } from "../../../shared/json";
import { readShown } from "../../delivery/shown_delivery";
import { Button, Note } from "../../parts/ui";
import { asApiError } from "../../state/load";
import { inScope, type Session } from "../../state/session";
import type { Outcome } from "../../state/types";
import { memberText } from "../../text/exact";
import { type Answer, type ExplainedRow, isEvent } from "./explanation";

// Where the service keeps some payloads only, these have them.
const KEPT: Outcome[] = ["held", "dead"];

/** Nothing where all is judged, or where no delivery is known. */
export function WholeEvent(props: {
  session: Session;
  answer: Answer;
  /** Explain this event. */
  onEvent: (text: string) => void;
}) {
  const { rows, asked } = props.answer;
  const [said, say] = useState("");
  const [isBusy, setBusy] = useState(false);
  const delivered = rows.filter((each) => each.outcome && each.deliveryId);
  const source = delivered.find((each) => KEPT.includes(each.outcome!)) ?? delivered[0];
  if (isEvent(asked.text) || !source || !rows.some((each) => each.result === "unknown")) return null;
  const explain = async () => {
    setBusy(true);
    say("");
    try {
      const text = await eventOf(props.session, source);
      if (text) props.onEvent(text);
      else say("The payload is not kept. Paste the event whole.");
    } catch (failure) {
      say(asApiError(failure).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Note
      icon="help"
      actions={
        <Button look="sm" busy={isBusy && "Loading"} onClick={explain}>
          Explain with its data
        </Button>
      }
    >
      Filters need the event's data. The delivery to {source.name} has it, if its payload is kept.
      <span role="status">{said && ` ${said}`}</span>
    </Note>
  );
}

/** Return the event of a delivery as it was published; undefined where its payload is not kept. */
async function eventOf({ client, scope }: Session, row: ExplainedRow): Promise<string | undefined> {
  const { text } = await client.response("GET", inScope(scope, "delivery", row.deliveryId!));
  const { delivery, payload } = readShown(text);
  const data = payload && memberText(payload, "data");
  if (!data) return undefined;
  const members = Object.entries({
    eventId: delivery.eventId,
    eventName: delivery.eventName,
    tenantId: scope.tenant,
    communityId: scope.community,
    occurredAt: delivery.occurredAt,
  }).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return pretty(`{${members.join(",")},"data":${data}}`);
}
