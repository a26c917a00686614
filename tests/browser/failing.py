"""Responses that fail, in place of the service's."""

import json
from collections.abc import Callable

from playwright.sync_api import Route

SENTENCES = {
    401: "licensekey: this license is unknown, expired or disabled",
    403: "this license does not reach this tenant and community",
    404: "webhookId: no webhook has this id",
    409: "another request changed it meanwhile",
    429: "too many requests for this license",
    500: "something went wrong on our side; tell us the x-request-id",
    503: "a service that this needs did not answer; send the same request again: its change is made once",
}


def error(status: int, *, retry_after: str | None = None) -> Callable[[Route], None]:
    """Return a handler that answers with the API's error."""
    body = {"statusCode": status, "error": "Error", "message": SENTENCES[status]}
    headers = {"content-type": "application/json", "x-request-id": "7f31c0de-2f1b"}
    if retry_after is not None:
        headers["retry-after"] = retry_after
    return lambda route: route.fulfill(status=status, body=json.dumps(body), headers=headers)


class Switch:
    """Fails requests until it is off, and counts them."""

    def __init__(self, fail: Callable[[Route], None]) -> None:
        self._fail = fail
        self.is_on = True
        self.count = 0

    def __call__(self, route: Route) -> None:
        self.count += 1
        if self.is_on:
            self._fail(route)
        else:
            route.continue_()
