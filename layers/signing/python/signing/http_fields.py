"""HTTP field names and values (RFC 9110, section 5)."""

TCHAR = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"  # a character of a method or field name (section 5.6.2)
TOKEN = TCHAR + "+"


def is_field_value(text: str) -> bool:
    """Check for a value that a header carries unchanged: printable ASCII, no blank at either end."""
    return text != "" and text.isascii() and text.isprintable() and text[0] != " " and text[-1] != " "
