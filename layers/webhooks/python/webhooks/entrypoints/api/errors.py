"""The one table from exceptions to statuses, and the body that all errors have."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

from webhooks.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    TenantMovingError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
    WebhooksError,
)
from webhooks.domain.json_text import write_json
from webhooks.entrypoints.api.json_names import problems_text
from webhooks.entrypoints.api.powertools import Response, content_types

RETRY_AFTER = 5  # seconds: by then the failing service, or another instance of it, usually answers

logger = logging.getLogger(__name__)


class MethodNotAllowedError(WebhooksError):
    """The path has other methods."""

    def __init__(self, allowed: str) -> None:
        super().__init__(f"this path has the methods {allowed}")
        self.allowed = allowed


class BodyTooLargeError(WebhooksError):
    """The body has more bytes than any request needs."""


class MediaTypeError(WebhooksError):
    """The content type is not JSON."""


STATUSES: Mapping[type[Exception], HTTPStatus] = {
    InvalidInputError: HTTPStatus.BAD_REQUEST,
    UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    NotFoundError: HTTPStatus.NOT_FOUND,
    MethodNotAllowedError: HTTPStatus.METHOD_NOT_ALLOWED,
    ConflictError: HTTPStatus.CONFLICT,
    TenantMovingError: HTTPStatus.SERVICE_UNAVAILABLE,
    BodyTooLargeError: HTTPStatus.CONTENT_TOO_LARGE,
    MediaTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    TooManyRequestsError: HTTPStatus.TOO_MANY_REQUESTS,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
# The errors' own texts are for the operator, not for the caller.
FIXED_TEXTS: Mapping[HTTPStatus, str] = {
    HTTPStatus.INTERNAL_SERVER_ERROR: "something went wrong on our side; tell us the x-request-id",
    HTTPStatus.SERVICE_UNAVAILABLE: "a service that this needs did not answer; send the same request again: "
    "its change is made once",
}


def error_response(error: Exception) -> Response[str]:
    """Return the response to a request that failed; faults of ours are logged."""
    status = next((STATUSES[of] for of in type(error).__mro__ if of in STATUSES), None)
    if status is None:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        logger.error("request.failed", exc_info=error)
    elif status is HTTPStatus.SERVICE_UNAVAILABLE and not isinstance(error, TenantMovingError):
        logger.warning("request.unavailable", exc_info=error)
    headers = {}
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = error.allowed
    if isinstance(error, TooManyRequestsError):
        headers["Retry-After"] = str(error.seconds)
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER)
    text = problems_text(error) if isinstance(error, InvalidInputError) else str(error)
    if isinstance(error, TenantMovingError):  # no failing service: the text is for the caller
        return error_body(status, text, headers={"Retry-After": str(error.seconds)})
    return error_body(status, FIXED_TEXTS.get(status, text), headers=headers)


def error_body(status: HTTPStatus, message: str, *, headers: Mapping[str, str]) -> Response[str]:
    """Return a response with the body that every error has."""
    body = {"statusCode": status.value, "error": status.phrase, "message": message}
    return Response(status.value, content_types.APPLICATION_JSON, write_json(body), headers=dict(headers))
