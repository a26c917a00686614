"""Errors of AWS as the service's own."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from webhooks.domain.errors import UnavailableError

AWS_ERRORS = (ClientError, BotoCoreError)


@contextmanager
def unavailable(operation: str) -> Iterator[None]:
    """Turn each AWS error inside into an UnavailableError that names the operation and the error's code.

    The AWS error is not chained: its text can quote the request.
    """
    try:
        yield
    except AWS_ERRORS as error:
        raise unavailable_error(operation, error) from None


def unavailable_error(operation: str, error: ClientError | BotoCoreError) -> UnavailableError:
    """Return the error in place of AWS's."""
    reason = error_code(error) if isinstance(error, ClientError) else type(error).__name__
    return UnavailableError(f"{operation}: {reason}")


def error_code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "Unknown")
