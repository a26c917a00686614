"""A request for a community's webhooks: authenticated, authorized, and only then read."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel

from webhooks.domain.caller import Caller
from webhooks.domain.errors import InvalidInputError, NotFoundError
from webhooks.domain.scope import IDENTIFIER, IDENTIFIER_RULE, Scope
from webhooks.domain.webhook import Credential, Webhook
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.entrypoints.api.request import Request
from webhooks.entrypoints.api.resolver import RestApi
from webhooks.entrypoints.api.schemas.validate import read
from webhooks.ports import Clock
from webhooks.services.webhooks import ChangeRequest, authorize

# A request is accepted until its `ts` is out of the span, and may have come that much early: twice the span.
# An hour more lets a client that signs its retries anew, with the same uuid, find its answer.
KEPT_BEYOND_SPAN = 3600
WEBHOOK_ID = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class CommunityRequest:
    """An authenticated request for a community."""

    caller: Caller
    scope: Scope
    request: Request
    repeat_key: str
    kept_until: int

    def webhook_id(self, text: str) -> str:
        """Return the id in the path. Raises NotFoundError for what no webhook is called."""
        if not WEBHOOK_ID.fullmatch(text):
            raise NotFoundError("webhookId: no such webhook")
        return text

    def body[M: BaseModel](self, schema: type[M]) -> M:
        """Return the body as the schema. Raises InvalidInputError and what `Request.json_object` does."""
        return read(schema, self.request.json_object())

    def optional_body[M: BaseModel](self, schema: type[M]) -> M:
        """Return the body as `body` does, where no body at all is as good as an empty object."""
        return self.body(schema) if self.request.body else read(schema, {})

    def change(self, render: Callable[[Webhook, Credential | None], str]) -> ChangeRequest:
        """Return the request as the use cases that change something take it."""
        return ChangeRequest(
            caller=self.caller,
            scope=self.scope,
            key=self.repeat_key,
            expires_at=self.kept_until,
            render=render,
        )


class Communities:
    """Lets requests in to communities. `allowed_time_span` in seconds."""

    def __init__(self, access: Authenticator, *, clock: Clock, allowed_time_span: int) -> None:
        self._access = access
        self._clock = clock
        self._kept = 2 * allowed_time_span + KEPT_BEYOND_SPAN

    def call(self, api: RestApi, tenant_id: str, community_id: str) -> CommunityRequest:
        """Return the call for the community in the path.

        Raises UnauthenticatedError, then InvalidInputError for ids that no license can have, ForbiddenError.
        """
        scope = Scope(tenant_id, community_id)
        caller = self._access.caller(api, scope)
        problems = [
            f"{name}: must be {IDENTIFIER_RULE}"
            for name, value in (("tenantId", tenant_id), ("communityId", community_id))
            if not IDENTIFIER.fullmatch(value)
        ]
        if problems:
            raise InvalidInputError(problems)
        api.facts |= {"tenant_id": tenant_id, "community_id": community_id}
        authorize(caller, scope)
        return CommunityRequest(
            caller=caller,
            scope=scope,
            request=api.incoming,
            repeat_key=self._access.repeat_key(caller, api.incoming),
            kept_until=int(self._clock()) + self._kept,
        )
