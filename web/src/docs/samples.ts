/** Samples: one language for all, this deployment's address, and the values of the forms. */

import { storage } from "../console/shell/theme";
import { BASE } from "../shared/client";
import { copy, h } from "./dom";
import { onValue, SHARED } from "./values";

const LANGUAGE = "webhooks.docs.language";

/** A value as it stands in a URL, and between single quotes of a shell. */
export const quoted = (value: string) => encodeURIComponent(value).replace(/'/g, "%27");

/** Put a value where the samples of an element have it; none: the example. */
export function fill(within: ParentNode, name: string, value: string): void {
  for (const span of within.querySelectorAll<HTMLElement>(`[data-value="${name}"]`)) {
    span.dataset.example ??= span.textContent!;
    span.textContent = value || span.dataset.example;
  }
}

export function startSamples(): void {
  fill(document, "base", BASE.href.replace(/\/$/, ""));
  onValue((name, value) => {
    if (SHARED.includes(name)) fill(document, name, quoted(value));
  });
  for (const pre of document.querySelectorAll<HTMLElement>(".samples pre")) addCopy(pre);
  const all = [...document.querySelectorAll<HTMLDetailsElement>("details[data-language]")];
  const choose = (language: string) => {
    for (const each of all) if (each.dataset.language === language) each.open = true;
  };
  for (const each of all)
    each.querySelector("summary")!.addEventListener("click", (event) => {
      // The browser would fold it again after it was unfolded here; and one language is always shown.
      event.preventDefault();
      if (each.open) return;
      const language = each.dataset.language!;
      storage()?.setItem(LANGUAGE, language);
      const before = each.parentElement!.getBoundingClientRect().top;
      choose(language);
      // Samples above are longer or shorter now: the one that was clicked stays where it is.
      requestAnimationFrame(() => scrollBy(0, each.parentElement!.getBoundingClientRect().top - before));
    });
  const kept = storage()?.getItem(LANGUAGE);
  if (kept) choose(kept);
}

function addCopy(pre: HTMLElement): void {
  const button = h("button", { type: "button", className: "btn sm copy" }, "Copy");
  const title = pre.parentElement!.querySelector("summary")!.textContent!;
  button.setAttribute("aria-label", `Copy: ${title}`);
  button.addEventListener("click", async () => {
    button.textContent = (await copy(pre.textContent!)) ? "Copied" : "Not allowed";
    setTimeout(() => {
      button.textContent = "Copy";
    }, 2000);
  });
  pre.before(button);
}
