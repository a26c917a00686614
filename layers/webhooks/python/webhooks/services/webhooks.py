"""Tenants' webhooks: fetched, created, changed and deleted, each change as one transaction.

A credential is written before the webhook that names it and deleted after: what a crash leaves between is a
secret that no webhook names, and the cleanup takes it.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from webhooks.domain.caller import Caller
from webhooks.domain.endpoint_url import parse_url
from webhooks.domain.errors import (
    CommunityFullError,
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
)
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import (
    AuthType,
    Credential,
    CredentialRef,
    Definition,
    Endpoint,
    Webhook,
    credential_problems,
    fitting,
    oauth_problems,
)
from webhooks.ports import (
    AlreadyProcessedError,
    Clock,
    Credentials,
    EndpointGuard,
    EndpointRefusedError,
    IdempotencyRecord,
    Page,
    StaleError,
    Subscriptions,
)
from webhooks.services.idempotency import Earlier, Repeats, exists, is_absent, is_at_revision
from webhooks.services.webhook_credentials import WebhookCredentials

RACES = 10  # times that a change is tried again on what somebody else has just written
RACED = "the webhook was changed by others at the same time; send the change again"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patch:
    """What a change gives: fields of Definition and Endpoint by name; no credential keeps the stored one."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    endpoint: Mapping[str, Any] = field(default_factory=dict)
    credential: Credential | None = None


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A state-changing request: its answer is kept under `key` until `expires_at`, in epoch seconds."""

    caller: Caller
    scope: Scope
    key: str
    expires_at: int
    render: Callable[[Webhook, Credential | None], str]

    def keep(self, body: str, earlier: Earlier) -> IdempotencyRecord:
        """Return the answer as it is kept, in place of an earlier one that no longer counts."""
        return IdempotencyRecord(self.key, body, self.expires_at, earlier.replaces)


class Webhooks:
    """The use cases of a tenant's webhooks. `webhooks_per_community`: how many of them one may have."""

    def __init__(
        self,
        *,
        subscriptions: Subscriptions,
        credentials: Credentials,
        guard: EndpointGuard,
        clock: Clock,
        webhooks_per_community: int,
    ) -> None:
        self._subscriptions = subscriptions
        self._repeats = Repeats(subscriptions)
        self._credentials = WebhookCredentials(credentials)
        self._limit = webhooks_per_community
        self._guard = guard
        self._clock = clock

    def fetch(
        self, caller: Caller, scope: Scope, *, index: int, size: int, tags: Sequence[str]
    ) -> tuple[Page, Sequence[Credential | None]]:
        """Return a page and, for a caller who sees them, each webhook's credential."""
        authorize(caller, scope)
        page = self._subscriptions.page(scope, index=index, size=size, tags=tags)
        if not caller.sees_credentials:
            return page, [None] * len(page.webhooks)
        return page, self._credentials.of(page.webhooks)

    def get(self, caller: Caller, scope: Scope, webhook_id: str) -> Webhook:
        """Return one webhook. Raises NotFoundError."""
        authorize(caller, scope)
        return self._stored(scope, webhook_id)

    def create(self, request: ChangeRequest, *, definition: Definition, credential: Credential | None) -> str:
        """Store a webhook and return the answer. Raises InvalidInputError, ConflictError."""
        authorize(request.caller, request.scope)
        # A secret costs more to make and to delete than to count first. Counted before the repeat is looked
        # for, so that a repeat is not refused for what its own request has just created.
        total = self._subscriptions.count(request.scope) if credential else 0
        earlier = self._repeats.find(request.scope, request.key, exists)
        if earlier.body is not None:
            return earlier.body
        endpoint = definition.endpoint
        self._refuse(oauth_problems(endpoint) + credential_problems(endpoint, credential), _urls(endpoint))
        if total >= self._limit:
            raise CommunityFullError(total, self._limit)
        now = self._clock()
        credential = fitting(endpoint, credential)
        webhook_id = self._subscriptions.next_id(request.scope, now=now)
        ref = self._credentials.store(request.scope, webhook_id, credential)
        webhook = Webhook(
            id=webhook_id, scope=request.scope, definition=definition, created_at=int(now), credential=ref
        )
        response = request.render(webhook, credential)
        try:
            self._subscriptions.add(webhook, request.keep(response, earlier), limit=self._limit)
        except (AlreadyProcessedError, ConflictError, InvalidInputError) as error:
            # Read first: where answers are lost, a change may have taken effect although it looks lost.
            self._credentials.tidy_unnamed(ref, self._subscriptions.get(request.scope, webhook_id))
            if isinstance(error, AlreadyProcessedError):
                return self._repeats.body(request.scope, request.key, exists)
            raise
        return response

    def update(self, request: ChangeRequest, webhook_id: str, patch: Patch) -> str:
        """Change a webhook and return the answer. Raises InvalidInputError, NotFoundError, ConflictError."""
        authorize(request.caller, request.scope)
        earlier = self._repeats.find(request.scope, request.key, is_at_revision)
        if earlier.body is not None:
            return earlier.body
        written: CredentialRef | None = None
        written_beside: str | None = None
        try:
            for race in range(RACES):
                before = self._stored(request.scope, webhook_id)
                definition = _merge(before.definition, patch)
                self._check_change(before, definition, patch.credential)
                _check_reach(request.caller, before, definition, given=patch.credential)
                patch = replace(patch, credential=fitting(definition.endpoint, patch.credential))
                secret = before.credential.secret_name if before.credential else None
                if patch.credential and (race == 0 or secret != written_beside):
                    self._credentials.tidy_unnamed(written, before)
                    written, written_beside = self._credentials.write(before, patch.credential), secret
                after = _changed(before, definition, written=written)
                response = request.render(
                    after, self._credentials.visible_to(request.caller, after, patch.credential)
                )
                try:
                    self._subscriptions.change(before, after, kept=request.keep(response, earlier))
                except StaleError:
                    continue
                self._credentials.settle(before.credential, after.credential)
                return response
            raise ConflictError(RACED)  # noqa: TRY301 - tidied up as for the other errors
        except (AlreadyProcessedError, ConflictError, InvalidInputError, NotFoundError) as error:
            if written is not None:
                self._credentials.tidy_unnamed(written, self._subscriptions.get(request.scope, webhook_id))
            if isinstance(error, AlreadyProcessedError):
                return self._repeats.body(request.scope, request.key, is_at_revision)
            raise

    def delete(self, request: ChangeRequest, webhook_id: str) -> None:
        """Delete a webhook with its credential. Raises NotFoundError, ConflictError."""
        authorize(request.caller, request.scope)
        earlier = self._repeats.find(request.scope, request.key, is_absent)
        if earlier.body is not None:
            return
        for _ in range(RACES):
            webhook = self._stored(request.scope, webhook_id)
            try:
                self._subscriptions.remove(webhook, request.keep("", earlier))
            except StaleError:
                continue
            except AlreadyProcessedError:
                return
            self._credentials.tidy(webhook.credential)
            return
        raise ConflictError("the webhook was changed by others at the same time; send the request again")

    def _stored(self, scope: Scope, webhook_id: str) -> Webhook:
        webhook = self._subscriptions.get(scope, webhook_id)
        if webhook is None:
            raise NotFoundError("webhookId: no such webhook")
        return webhook

    def _refuse(self, problems: list[str], check: Iterable[tuple[str, str]]) -> None:
        """Raise InvalidInputError with the problems and with what the guard says of the named URLs."""
        for name, url in check:
            try:
                self._guard.check(url)
            except EndpointRefusedError as refused:
                problems.append(f"api.{name}: {refused}")
        if problems:
            raise InvalidInputError(problems)

    def _check_change(self, before: Webhook, definition: Definition, credential: Credential | None) -> None:
        endpoint = definition.endpoint
        problems = oauth_problems(endpoint)
        stays = endpoint.auth_type is before.definition.endpoint.auth_type and before.credential is not None
        if credential is not None or not stays:
            problems += credential_problems(endpoint, credential)
        # An endpoint whose name does not resolve now must not keep its owner from disabling the webhook.
        known = set(_urls(before.definition.endpoint))
        self._refuse(problems, [url for url in _urls(endpoint) if url not in known])


def authorize(caller: Caller, scope: Scope) -> None:
    """Raise ForbiddenError unless the caller's license reaches the community."""
    if not caller.license.reaches(scope):
        raise ForbiddenError("this license does not reach this tenant and community")


def _check_reach(
    caller: Caller, before: Webhook, definition: Definition, *, given: Credential | None
) -> None:
    """Refuse to send a stored credential to another host for a caller who may not see it."""
    if given is not None or before.credential is None or caller.sees_credentials:
        return
    if definition.endpoint.auth_type is AuthType.NONE:
        return
    known = {_origin(url) for _, url in _urls(before.definition.endpoint)}
    problems = [
        f"api.credential: required again where the host of api.{name} changes"
        for name, url in _urls(definition.endpoint)
        if _origin(url) not in known
    ]
    if problems:
        raise InvalidInputError(problems)


def _origin(url: str) -> tuple[str, str, int]:
    parts = parse_url(url)
    return parts.scheme, parts.host, parts.port


def _urls(endpoint: Endpoint) -> list[tuple[str, str]]:
    urls = [("url", endpoint.url)]
    if endpoint.auth_type is AuthType.OAUTH2 and endpoint.oauth_token_url:
        urls.append(("oAuthTokenUrl", endpoint.oauth_token_url))
    return urls


def _merge(definition: Definition, patch: Patch) -> Definition:
    return replace(definition, **{**patch.fields, "endpoint": replace(definition.endpoint, **patch.endpoint)})


def _changed(before: Webhook, definition: Definition, *, written: CredentialRef | None) -> Webhook:
    without = definition.endpoint.auth_type is AuthType.NONE
    return replace(
        before,
        definition=definition,
        revision=before.revision + 1,
        credential=None if without else (written or before.credential),
        disabled_reason=before.disabled_reason if definition.disabled else None,
    )
