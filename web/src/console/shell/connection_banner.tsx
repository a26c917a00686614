import { contact } from "../../shared/client";
import { Icon } from "../parts/icons";
import { toast } from "../parts/toast";
import { Button, When } from "../parts/ui";
import { retryNow, useOnline } from "../state/waiting";

/** Says that the network is away and how old the page is; every load goes on by itself when it is back. */
export function ConnectionBanner() {
  if (useOnline()) return null;
  const tryNow = () => {
    retryNow();
    if (!navigator.onLine) toast("Still offline");
  };
  return (
    <div class="banner" role="status">
      <Icon name="wifi" />
      <div>
        You are offline. The page{" "}
        {contact.at > 0 && (
          <>
            shows what it had{" "}
            <span aria-live="off">
              <When at={contact.at} />
            </span>
            , and{" "}
          </>
        )}
        goes on when the network is back.
      </div>
      <Button look="sm" onClick={tryNow}>
        Try now
      </Button>
    </div>
  );
}
