/** Tooltips of everything that has `data-tip`: exact times, names of icon buttons; on hover and on focus. */
const GAP = 6;
const MARGIN = 8;

export function installTooltips(): void {
  document.addEventListener("pointerover", (event) =>
    show((event.target as Element).closest?.("[data-tip]")),
  );
  document.addEventListener("focusin", (event) => {
    const target = event.target as Element;
    show(target.matches?.("[data-tip]:focus-visible") ? target : null);
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && show(null));
}

function show(element: Element | null): void {
  for (const each of document.querySelectorAll(".tip")) each.remove();
  const text = element?.getAttribute("data-tip");
  if (!element || !text) return;
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.role = "tooltip";
  tip.textContent = text;
  const place = document.querySelector("dialog") ?? document.getElementById("main") ?? document.body;
  place.append(tip);
  const at = element.getBoundingClientRect();
  const centre = at.left + at.width / 2 - tip.offsetWidth / 2;
  const x = Math.max(MARGIN, Math.min(innerWidth - tip.offsetWidth - MARGIN, centre));
  const below = at.bottom + GAP + tip.offsetHeight <= innerHeight;
  tip.style.transform = `translate(${x}px, ${below ? at.bottom + GAP : at.top - tip.offsetHeight - GAP}px)`;
}
