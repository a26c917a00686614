/** Where the reader is, in the list of contents; on a narrow window the list is folded. */
export function startPlace(): void {
  const links = new Map(
    [...document.querySelectorAll<HTMLAnchorElement>(".menu a")].map((each) => [each.hash.slice(1), each]),
  );
  let current: HTMLAnchorElement | undefined;
  const watch = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        const link = links.get(target.getAttribute("aria-labelledby")!);
        if (!isIntersecting || !link) continue;
        current?.removeAttribute("aria-current");
        link.setAttribute("aria-current", "location");
        current = link;
        if (!narrow.matches) keepInSight(link);
      }
    },
    { rootMargin: "-64px 0px -70% 0px" },
  );
  for (const each of document.querySelectorAll("section[aria-labelledby]")) watch.observe(each);

  const menu = document.querySelector<HTMLDetailsElement>(".menu")!;
  const narrow = matchMedia("(max-width: 860px)");
  const fold = () => {
    menu.open = !narrow.matches;
  };
  fold();
  narrow.addEventListener("change", fold);
  menu.addEventListener("click", (event) => {
    if (narrow.matches && (event.target as Element).closest("a")) menu.open = false;
  });
  document.getElementById("find")!.addEventListener("input", () => {
    menu.open = true;
  });
}

/** Scroll the list alone: `scrollIntoView` would move the page too. */
function keepInSight(link: HTMLElement): void {
  const list = link.closest<HTMLElement>(".side")!;
  const { top, bottom } = link.getBoundingClientRect();
  const frame = list.getBoundingClientRect();
  if (top < frame.top + 90) list.scrollTop += top - frame.top - 90;
  else if (bottom > frame.bottom) list.scrollTop += bottom - frame.bottom + 40;
}
