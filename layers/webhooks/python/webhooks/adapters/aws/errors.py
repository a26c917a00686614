"""Errors of AWS as the service's own."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from webhooks.domain.errors import UnavailableError


@contextmanager
def unavailable(operation: str) -> Iterator[None]:
    """Turn each AWS error inside into an UnavailableError that names the operation and the error's code.

    The AWS error is not chained: its text can quote the request.
    """
    try:
        yield
    except ClientError as error:
        raise UnavailableError(f"{operation}: {error_code(error)}") from None
    except BotoCoreError as error:
        raise UnavailableError(f"{operation}: {type(error).__name__}") from None


def error_code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "Unknown")
