"""Requests to a community's part of the API: JSON in, JSON out, and errors of the command for the others."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from webhooks_cli.api import Api, ApiResponse
from webhooks_cli.api_paths import full_path
from webhooks_cli.aws import with_api_url
from webhooks_cli.context import CliContext
from webhooks_cli.deployment import Deployment
from webhooks_cli.errors import RefusedError, UnreachableError, WrongUseError
from webhooks_cli.event_files import write_json

WEBHOOK_ID = re.compile(r"[0-9a-f]{24}", re.ASCII)
PAGE_SIZE = 100  # of every paged request of the API
NAME_MAX = 128


class Community:
    """A tenant's community as the API shows it to this caller."""

    def __init__(self, deployment: Deployment, context: CliContext, *, api: Api | None = None) -> None:
        self._context = context
        self._deployment = with_api_url(deployment)
        self._api = api or Api(self._deployment, context)

    @property
    def name(self) -> str:
        """Return `tenant/community`."""
        return f"{self._deployment.tenant_id}/{self._deployment.community_id}"

    def other(self, tenant_id: str, community_id: str) -> "Community":
        """Return another community, called with the same license and key pair."""
        deployment = replace(self._deployment, tenant_id=tenant_id, community_id=community_id)
        return Community(deployment, self._context, api=self._api)

    def get(self, path: str) -> Any:
        """Return the JSON of a path in the community, or of one that begins with a slash.

        Raises RefusedError for a 4xx, UnreachableError for a 5xx or no response; both with the API's reason.
        """
        return self._send("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send a JSON body, as `get`."""
        return self._send("POST", path, body)

    def delete(self, path: str) -> Any:
        """Send DELETE, as `get`."""
        return self._send("DELETE", path, None)

    def pages(self, path: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Post the body again with each page's cursor; yield the pages."""
        cursor: dict[str, Any] = {}
        while True:
            page = self.post(path, {**body, **cursor})
            yield page
            if not page.get("cursor"):
                return
            cursor = {"cursor": page["cursor"]}

    def webhook_id(self, name: str) -> str:
        """Return the id of the webhook with this id or name.

        Raises RefusedError where none has the name, WrongUseError where several have it.
        """
        if WEBHOOK_ID.fullmatch(name):
            return name
        if not name or len(name) > NAME_MAX:
            raise WrongUseError(f"a webhook is its id (24 hex digits) or its name, not {name!r}")
        found = self.post("webhooks/fetch", {"name": name, "pSize": PAGE_SIZE})
        same = [each["_id"] for each in found["data"] if each.get("name") == name]
        if not same:
            raise RefusedError(f"no webhook of {self.name} is named {name}")
        if len(same) > 1:
            raise WrongUseError(f"several webhooks are named {name}: give one id of {', '.join(same)}")
        return str(same[0])

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        target = full_path(path, self._deployment)
        headers = self._api.headers()
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = write_json(body).encode()
        response = self._api.send(method, target, headers=headers, body=content)
        if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            return response.value()
        raise _error(response, f"{method} {target}")


def in_path(text: str) -> str:
    """Return an id as one segment of a path, whatever it holds."""
    return quote(text, safe="")


class BusyError(RefusedError):
    """The API or the endpoint's limit refuses for now (429): the same request is right later."""


def _error(response: ApiResponse, request: str) -> RefusedError | UnreachableError:
    value = response.value()
    reason = value.get("message") if isinstance(value, dict) else None
    text = f"{request}: {response.status} {response.reason}{f': {reason}' if reason else ''}"
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        after = response.headers.get("Retry-After") or response.headers.get("retry-after")
        return BusyError(f"{text}{f'; again after {after} s' if after else ''}")
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UnreachableError(text)
    return RefusedError(text)
