"""The visible texts of a page, without those that a person or a program wrote: names, ids, code."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

# Requests that go on are counted: a view is whole when there is none.
COUNT_REQUESTS = """
(() => {
  const send = window.fetch;
  let underWay = 0;
  let changed = 0;
  const count = by => { underWay += by; changed = performance.now(); };
  // Between two requests of a view there is work of some milliseconds.
  window.isQuiet = () => !underWay && performance.now() - changed > 120;
  window.addEventListener('hashchange', () => count(0), { capture: true });
  window.fetch = async (...request) => {
    count(1);
    try { return await send(...request); } finally { count(-1); }
  };
})()
"""
TEXTS = """
() => {
  const OTHERS = 'pre, code, textarea, script, style, noscript, .mono, .evt, [data-said]';
  const root = document.querySelector('dialog[open]') ?? document.body;
  const found = [];
  const seen = element => element.checkVisibility({ visibilityProperty: true });
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (text && seen(parent) && !parent.closest(OTHERS)) found.push(['text', text]);
  }
  for (const element of root.querySelectorAll('[aria-label], [placeholder], [data-tip], [title]')) {
    if (!seen(element)) continue;
    for (const name of ['aria-label', 'placeholder', 'data-tip', 'title']) {
      const text = element.getAttribute(name);
      if (text) found.push([name, text]);
    }
  }
  const plain = element => {
    const copy = element.cloneNode(true);
    for (const each of copy.querySelectorAll(OTHERS + ', svg, .vh, .pill, kbd')) each.remove();
    return copy.textContent.trim().replace(/\\s+/g, ' ');
  };
  for (const element of root.querySelectorAll('h1, h2, h3, th, dt, label, legend')) {
    if (seen(element) && !element.closest(OTHERS) && plain(element)) found.push(['heading', plain(element)]);
  }
  for (const element of root.querySelectorAll('button, .btn, [role=button]')) {
    if (!seen(element)) continue;
    const name = element.getAttribute('aria-label') ?? plain(element);
    found.push(['button', name]);
  }
  return found;
}
"""


@dataclass(frozen=True, slots=True)
class Said:
    """A text, and the kind of its place: text, heading, button, or an attribute's name."""

    kind: str
    text: str


def texts(page: Page) -> list[Said]:
    """Return the texts that are seen in the page, or in its open dialog, and the names of its controls."""
    found: list[list[Any]] = page.evaluate(TEXTS)
    return [Said(kind, text) for kind, text in found]


def visit(page: Page, address: str) -> None:
    """Show an address; returns when no request is under way and no row is a skeleton."""
    page.evaluate("to => { location.hash = to }", address)
    page.wait_for_function(
        "() => window.isQuiet() && document.querySelector('h1') && !document.querySelector('.sk')"
    )
