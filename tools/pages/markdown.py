"""The markdown of the document's descriptions as HTML: paragraphs, lists, bold, code and links."""

import html
import re
from collections.abc import Iterator

CODE = re.compile(r"(`[^`]+`)")
BOLD = re.compile(r"\*\*(.+?)\*\*")
LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+|#[\w.-]+)\)")
ITEM = re.compile(r"(?:-|\d+\.) +")


def markdown(text: str) -> str:
    """Return the HTML; characters that markup is made of are escaped."""
    return "".join(_block(block.split("\n")) for block in re.split(r"\n\s*\n", text.strip()) if block)


def _block(lines: list[str]) -> str:
    """Return a paragraph, a list, or a list after its paragraph."""
    groups = list(_groups(lines))
    first = [group for group in groups[:1] if not ITEM.match(group)]
    items = groups[len(first) :]
    text = "".join(f"<p>{_inline(each)}</p>" for each in first)
    if not items:
        return text
    tag = "ol" if items[0][0].isdigit() else "ul"
    rows = "".join(f"<li>{_inline(ITEM.sub('', each, count=1))}</li>" for each in items)
    return f"{text}<{tag}>{rows}</{tag}>"


def _groups(lines: list[str]) -> Iterator[str]:
    """Join the lines of each item, and those before the first one."""
    group: list[str] = []
    for line in lines:
        if ITEM.match(line) and group:
            yield " ".join(group)
            group = []
        group.append(line.strip())
    yield " ".join(group)


def _inline(text: str) -> str:
    return "".join(
        f"<code>{html.escape(part[1:-1])}</code>" if CODE.fullmatch(part) else _words(part)
        for part in CODE.split(text)
    )


def _words(text: str) -> str:
    linked = LINK.sub(r'<a href="\2">\1</a>', html.escape(text))
    return BOLD.sub(r"<strong>\1</strong>", linked)
