import { contact } from "../../shared/client";
import { retryNow, useOnline } from "../waiting";
import { Icon } from "./icons";
import { toast } from "./toast";
import { Button, When } from "./ui";

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
