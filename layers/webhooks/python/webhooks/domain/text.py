"""Text that people write, of all Unicode but characters that mislead or break readers; names of fields."""

import re
from typing import Final

# Controls (Cc), line and paragraph separators (Zl, Zp), and bidi overrides, embeddings and isolates. These
# sets never change; joiners, spaces of all widths and characters yet to come are text.
_HARMFUL: Final = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069"
_SPACES: Final = r" \xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
SURROGATES: Final = r"\ud800-\udfff"  # halves of a character (Cs), which no schema's pattern can name
TEXT_RULE: Final = "no control characters, line separators or bidi overrides"
TEXT_PATTERN: Final = f"^[^{_HARMFUL}]*$"
TEXT: Final = re.compile(f"[^{_HARMFUL}{SURROGATES}]*")


def is_text(text: str) -> bool:
    """Tell whether a text keeps TEXT_RULE and has no half of a character."""
    return TEXT.fullmatch(text) is not None


def trimmed(length: int, *, more: str = "") -> str:
    """Return a pattern for text of 1 to `length` characters with no space at either end, `more` left out."""
    ends, inner = f"[^{_HARMFUL}{more}{_SPACES}]", f"[^{_HARMFUL}{more}]"
    return f"{ends}(?:{inner}{{0,{length - 2}}}{ends})?"


def camel_case(name: str) -> str:
    """Return a field's name in camelCase: `event_names` is `eventNames`."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))
