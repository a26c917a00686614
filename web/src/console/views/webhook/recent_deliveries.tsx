/** The newest deliveries of a webhook. */

import { DeliveryTable } from "../../delivery/delivery_table";
import { NotLoaded } from "../../parts/not_loaded";
import { Button } from "../../parts/ui";
import type { Loaded } from "../../state/load";
import { address, link } from "../../state/router";
import type { DeliveryPage } from "../../state/types";

export function RecentDeliveries(props: {
  load: Loaded<DeliveryPage>;
  webhookId: string;
  /** The view says that it shows an earlier state. */
  isOld: boolean;
}) {
  const { load, webhookId, isOld } = props;
  const { data } = load;
  return (
    <section aria-labelledby="deliveries-title">
      <div class="row">
        <h2 id="deliveries-title">Deliveries</h2>
        <span class="push row">
          <Button look="sm" icon="retry" href={link({ dialog: "replay" })}>
            Replay failed…
          </Button>
          <Button
            look="sm quiet"
            href={address(["deliveries"], { webhook: webhookId })}
            label="See all deliveries"
          >
            See all
          </Button>
        </span>
      </div>
      <NotLoaded name="The deliveries" load={load} isSaid={isOld && data !== undefined} />
      {data?.data.length === 0 && (
        <div class="empty">
          <h3>No deliveries yet</h3>
          <p>Each event that matches appears here, with every attempt and the endpoint's answers.</p>
        </div>
      )}
      {data && data.data.length > 0 && <DeliveryTable deliveries={data.data} />}
    </section>
  );
}
