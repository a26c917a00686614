"""Why the command ends without success: one exception for each exit code.

CliError
├── RefusedError        1  the API or AWS said no, or a callback does not verify
├── WrongUseError       2  what was given cannot be used
├── UnreachableError    3  no answer, or one that says the fault is on the other side
└── MissingError        4  something that must be configured is not

The texts never hold a private key, a license or a secret.
"""

OK = 0
FAULT = 70  # of the command itself (EX_SOFTWARE of sysexits.h)
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


class CliError(Exception):
    """Base of all; the text says what is wrong and what would be right."""

    exit_code = FAULT


class RefusedError(CliError):
    """The API or AWS refused, or a callback does not verify."""

    exit_code = 1


class WrongUseError(CliError):
    """An argument, a file or an input cannot be used."""

    exit_code = 2


class UnreachableError(CliError):
    """Nothing answered, or what answered is out of order."""

    exit_code = 3


class MissingError(CliError):
    """A configuration that the command needs is not there."""

    exit_code = 4
