"""When a message on which our own code fails is given up. Pure."""

# Five hours at a visibility timeout of three minutes: a broken release is rolled back by then, and its
# messages are good. A fault at one message alone costs an invocation every three minutes until then.
POISON_RECEIVES = 100


def poison_reason(error: Exception, receives: int) -> str | None:
    """Say why a message is poison that was received so often and failed again; None where it comes again."""
    if receives < POISON_RECEIVES:
        return None
    return f"not processed: {type(error).__name__} after {receives} receives"
