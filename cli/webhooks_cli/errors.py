"""The errors that end the command: one exception for each exit code.

CliError
├── RefusedError        1  the API or AWS said no, or a callback does not verify
├── WrongUseError       2  an argument, a file or an input cannot be used
├── UnreachableError    3  no response, or one that reports a fault of the other side
├── MissingError        4  a configuration is missing
└── InterruptedByUser 130  Ctrl-C, with a text that says how to go on

The texts never hold a private key, a license or a secret.
"""

OK = 0
FAULT = 70  # of the command itself (EX_SOFTWARE of sysexits.h)
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


class CliError(Exception):
    """Base of all; the text names the fault and its remedy."""

    exit_code = FAULT


class RefusedError(CliError):
    """The API or AWS refused, or a callback does not verify."""

    exit_code = 1


class WrongUseError(CliError):
    """An argument, a file or an input cannot be used."""

    exit_code = 2


class UnreachableError(CliError):
    """The other side does not respond, or is out of order."""

    exit_code = 3


class MissingError(CliError):
    """A configuration that the command needs is missing."""

    exit_code = 4


class InterruptedByUser(CliError):  # noqa: N818 - no error, and InterruptedError is Python's
    """Ctrl-C during work that goes on elsewhere, or that can be begun again."""

    exit_code = INTERRUPTED
