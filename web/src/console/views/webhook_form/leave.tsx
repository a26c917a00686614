/** Leaving a form with unsaved changes asks first: links, keys, the browser's Back, a reload, a closed tab. */
import { useEffect, useState } from "preact/hooks";
import { Dialog } from "../../parts/dialog";
import { Button } from "../../parts/ui";
import { guardAddress, parse, replace } from "../../state/router";
import { whatIsAsked } from "../../state/session";

/** `isUnsaved` is asked when the page is about to go. Returns the dialog while it asks. */
export function useLeaveQuestion(isUnsaved: () => boolean) {
  const [wanted, want] = useState<string>();
  useEffect(() => {
    let own = location.hash;
    const place = parse().path.join("/");
    const onHash = (event: HashChangeEvent) => {
      if (parse().path.join("/") === place) {
        own = location.hash;
        return;
      }
      if (!isUnsaved()) return;
      event.stopImmediatePropagation();
      event.preventDefault();
      // A dialog behind the question for keys would lock that one.
      if (!whatIsAsked()) want(location.hash);
      // Without a dialog: the question takes the place of the one that led away.
      replace(own.replace(/[?&]dialog=[^&]*/, ""));
    };
    const onUnload = (event: BeforeUnloadEvent) => {
      if (isUnsaved()) event.preventDefault();
    };
    const unguard = guardAddress(onHash);
    addEventListener("beforeunload", onUnload);
    return () => {
      unguard();
      removeEventListener("beforeunload", onUnload);
    };
  }, []);
  const stay = () => want(undefined);
  return {
    question: (leave: () => void) =>
      wanted !== undefined && (
        <Dialog
          title="Leave without saving?"
          onClose={stay}
          footer={
            <>
              <Button
                look="danger"
                onClick={() => {
                  leave();
                  replace(wanted);
                }}
              >
                Leave
              </Button>
              <Button look="primary" onClick={stay}>
                Stay
              </Button>
            </>
          }
        >
          <p>Your changes in this form are not saved.</p>
        </Dialog>
      ),
  };
}
