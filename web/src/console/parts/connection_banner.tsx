import { retryNow, useConnection } from "../waiting";
import { Icon } from "./icons";
import { toast } from "./toast";
import { Button, Countdown, When } from "./ui";

/** Says that what is shown is old, why, and when the page tries again. */
export function ConnectionBanner() {
  const { isOnline, stale, loadedAt } = useConnection();
  if (isOnline && !stale) return null;
  const since = stale?.since ?? loadedAt;
  const age = since && (
    <>
      {" "}
      The page shows what it had{" "}
      <span aria-live="off">
        <When at={since} />
      </span>
      , and
    </>
  );
  const tryNow = () => {
    retryNow();
    if (!navigator.onLine) toast("Still offline");
  };
  return (
    <div class="banner" role="status">
      <Icon name="wifi" />
      <div>
        {isOnline && stale ? (
          <>
            {stale.error.message}
            {age} tries again in <Countdown until={stale.retryAt} />.
          </>
        ) : (
          <>You are offline.{age ?? " The page"} goes on when the network is back.</>
        )}
      </div>
      <span class="push" />
      <Button look="sm" onClick={tryNow}>
        Try now
      </Button>
    </div>
  );
}
