"""Tables of a page, each found by its head, whose rows the model gives."""

from collections.abc import Iterator, Sequence

type Rows = Iterator[Sequence[str]]


def with_table(page: str, head: str, rows: Rows) -> str:
    """Replace the rows below a head, which the page must have once."""
    before, found, after = page.partition(f"{head}\n")
    ruler, _, rest = after.partition("\n")
    if not found or f"{head}\n" in rest:
        raise ValueError(f"the page needs one table with the head {head}")
    kept = rest.split("\n")
    while kept and kept[0].startswith("|"):
        del kept[0]
    return f"{before}{head}\n{ruler}\n{''.join(f'{line(row)}\n' for row in rows)}{'\n'.join(kept)}"


def line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
