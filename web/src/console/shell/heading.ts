/** The heading of a new view gets the focus, and names the document. */
import { useEffect } from "preact/hooks";

const NAME = "Webhooks";

/** The heading that is seen: a view behind the connect page has one too. */
const heading = () =>
  [...document.querySelectorAll<HTMLElement>("h1")].find((each) => !each.closest("[hidden]"));

/** Focus the first heading of each new `place`; the document's title follows the heading. */
export function useHeading(place: string): void {
  useEffect(() => {
    let isFocused = false;
    scrollTo(0, 0);
    const follow = () => {
      const found = heading();
      const text = found?.textContent?.trim();
      const title = text && text !== NAME ? `${text} · ${NAME}` : NAME;
      if (document.title !== title) document.title = title;
      if (!found || isFocused) return;
      isFocused = true;
      found.focus({ preventScroll: true });
    };
    follow();
    // A view that loads first has its heading later, or another text in it.
    const observer = new MutationObserver(follow);
    observer.observe(document.getElementById("app")!, {
      childList: true,
      characterData: true,
      subtree: true,
    });
    return () => observer.disconnect();
  }, [place]);
}
