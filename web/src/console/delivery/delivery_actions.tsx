/** The actions on a delivery: send it again, explain its event, copy its request. */

import { copyText } from "../parts/clipboard";
import { Button, Note } from "../parts/ui";
import { webhookOf } from "../state/names";
import { address } from "../state/router";
import type { Session } from "../state/session";
import type { Attempt, Delivery } from "../state/types";
import { curl } from "./curl";
import { useResend, whyNotSent } from "./resend";

export function DeliveryActions(props: {
  session: Session;
  shown: { delivery: Delivery; payload?: string };
  /** Whether the payload is loaded, if it is kept. */
  isWhole: boolean;
  attempt: Attempt | undefined;
  onChanged: () => void;
}) {
  const { session, attempt } = props;
  const { delivery, payload } = props.shown;
  const resend = useResend(session, delivery, props.onChanged);
  const why = whyNotSent(delivery);
  const copyCurl = async () => {
    const webhook = await webhookOf(session, delivery.webhookId);
    await copyText(curl(delivery, { attempt, payload, webhook }), "cURL command");
  };
  return (
    <div class="stack">
      <div class="row">
        <Button
          look="primary"
          icon="retry"
          busy={resend.isBusy && "Sending"}
          disabled={Boolean(why)}
          onClick={resend.send}
        >
          Resend
        </Button>
        <Button href={explained(delivery)}>Explain event</Button>
        <Button look="quiet" disabled={!props.isWhole} onClick={copyCurl}>
          Copy as cURL
        </Button>
        {why && <span class="meta">{why}</span>}
      </div>
      <div role="status">{resend.said && <p class="meta">{resend.said}</p>}</div>
      {resend.error && (
        <Note tone="bad" icon="tri">
          <b>It was not sent.</b> {resend.error.message}
        </Note>
      )}
    </div>
  );
}

const explained = (delivery: Delivery) =>
  address(["explain"], { event: delivery.eventId, name: delivery.eventName, at: delivery.occurredAt });
