/** Search over everything: operations, fields, descriptions. `/` goes there. */
import { h } from "./dom";

const AROUND = 32; // characters beside a hit

interface Place {
  row: HTMLElement;
  link: HTMLAnchorElement;
  section: HTMLElement;
  text: string;
  hit: HTMLElement;
}

export function startSearch(): void {
  const input = h("input", { type: "search", className: "input", placeholder: "Search ( / )" });
  input.setAttribute("aria-label", "Search operations and fields");
  const status = h("p", { className: "meta", role: "status" });
  document.getElementById("find")!.append(input, status);
  const places = [...document.querySelectorAll<HTMLAnchorElement>(".menu a")].flatMap(placeOf);
  const groups = [...document.querySelectorAll<HTMLElement>(".menu > ul > li")];

  const typed = () => input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const search = () => {
    const wanted = typed();
    let found = 0;
    for (const place of places) {
      const fits = wanted.every((word) => place.text.toLowerCase().includes(word));
      place.row.hidden = !fits;
      if (wanted.length && fits) found += 1;
      place.hit.replaceChildren(...(wanted.length && fits ? excerpt(place.text, wanted) : []));
    }
    for (const group of groups) {
      const inside = group.querySelectorAll("li");
      if (inside.length) group.hidden = [...inside].every((each) => each.hidden);
    }
    status.textContent = wanted.length ? `${found} found` : "";
  };
  input.addEventListener("input", search);

  const shown = () => places.filter((each) => !each.row.hidden);
  input.addEventListener("keydown", (event) => {
    const first = shown()[0];
    if (event.key === "Enter") first?.link.click();
    else if (event.key === "ArrowDown" && first) {
      event.preventDefault();
      first.link.focus();
    } else if (event.key === "Escape") {
      input.value = "";
      search();
    }
  });
  for (const place of places) {
    place.link.addEventListener("click", () => reveal(place.section, typed()));
    place.link.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const all = shown();
      (all[all.indexOf(place) + step]?.link ?? input).focus();
    });
  }
  addEventListener("keydown", (event) => {
    const target = event.target as Element;
    if (
      event.key !== "/" ||
      event.ctrlKey ||
      event.metaKey ||
      target.closest?.("input,textarea,select,dialog")
    )
      return;
    event.preventDefault();
    input.focus();
    input.select();
  });
}

/** A link of the contents with the text that it leads to; a group's link has none of its own. */
function placeOf(link: HTMLAnchorElement): Place[] {
  const section = document.getElementById(link.hash.slice(1))?.closest<HTMLElement>("section");
  const isGroup = link.classList.contains("g") && link.parentElement!.querySelector("ul");
  if (!section || isGroup) return [];
  const hit = h("small", { className: "hit" });
  link.append(hit);
  const text = words(section.querySelector(".text") ?? section);
  return [{ row: link.parentElement!, link, section, text, hit }];
}

/** The text of an element and of all that is folded in it, with a space between its parts. */
function words(element: Element): string {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const parts: string[] = [];
  while (walker.nextNode()) parts.push(walker.currentNode.nodeValue!);
  return parts
    .join(" ")
    .replace(/\s+/g, " ")
    .replace(/ ([.,;:)])/g, "$1");
}

/** Words around the first hit, which is marked. */
function excerpt(text: string, wanted: string[]): Node[] {
  const word = wanted.at(-1)!;
  const at = text.toLowerCase().indexOf(word);
  const end = at + word.length;
  const from = Math.max(0, at - AROUND);
  return [
    document.createTextNode((from ? "…" : "") + text.slice(from, at)),
    h("mark", {}, text.slice(at, end)),
    document.createTextNode(`${text.slice(end, end + AROUND)}…`),
  ];
}

/** Unfold and show the field that has the last word, where it is not the section's heading. */
function reveal(section: HTMLElement, wanted: string[]): void {
  const word = wanted.at(-1);
  if (!word) return;
  const rows = [...section.querySelectorAll<HTMLElement>(".fields li")];
  const has = (element: HTMLElement) => element.textContent!.toLowerCase().includes(word);
  const row = rows.filter(has).find((each) => ![...each.querySelectorAll<HTMLElement>("li")].some(has));
  if (!row) return;
  for (let each = row.parentElement; each && each !== section; each = each.parentElement)
    if (each instanceof HTMLDetailsElement) each.open = true;
  for (const each of document.querySelectorAll(".is-hit")) each.classList.remove("is-hit");
  row.classList.add("is-hit");
  requestAnimationFrame(() => row.scrollIntoView({ block: "center" }));
}
