"""HTTP field names and values (RFC 9110, section 5)."""

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - the grammar of field names (section 5.6.2), as a pattern


def is_field_value(text: str) -> bool:
    """Check for a value that a header carries unchanged: printable ASCII, no blank at either end."""
    return text != "" and text.isascii() and text.isprintable() and text[0] != " " and text[-1] != " "
