"""Errors of an acceptance run: a line for the person at the console."""


class AcceptanceError(Exception):
    """A step failed; the message names the remedy or the file to read."""


class RefusedError(AcceptanceError):
    """The run must not begin: nothing was created, and nothing is torn down."""
