"""Tenants' webhooks: created, changed and deleted, each change as one transaction.

A credential's secret is written before the webhook that names it and deleted after it: a crash in between
leaves an orphan, which the cleanup deletes. A sealed credential is a part of its webhook. Requests are
authorized before they come here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from webhooks.domain.caller import Caller
from webhooks.domain.errors import (
    AlreadyProcessedError,
    CommunityFullError,
    ConflictError,
    EndpointRefusedError,
    InvalidInputError,
    InvalidWebhookError,
    NotFoundError,
    Problem,
    StaleError,
)
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import WEBHOOK_ID, Credential, Definition, StoredCredential, Webhook
from webhooks.domain.webhook_patch import Patch, changed, patch_problems, reach_problems
from webhooks.domain.webhook_rules import (
    credential_problems,
    endpoint_problems,
    endpoint_urls,
    needed_part,
)
from webhooks.ports import Clock, Credentials, EndpointGuard, RecoveryQueue, Subscriptions
from webhooks.services.idempotency import CommunityRequest, Idempotency, exists, is_absent, is_at_revision
from webhooks.services.webhook_checks import WebhookChecks
from webhooks.services.webhook_credentials import WebhookCredentials

RACES = 10  # times that a change is tried again after another change of the same webhook
NO_WEBHOOK = "webhookId: no such webhook"
RACED = "the webhook was changed by others at the same time; send the {} again"

# Writes the response to a change, from the webhook and its credential as the caller may see it.
type Respond = Callable[[Caller, Webhook, Credential | None], str]


class Webhooks:
    """The use cases of a tenant's webhooks. `webhooks_per_community`: how many of them one may have."""

    def __init__(
        self,
        *,
        subscriptions: Subscriptions,
        credentials: Credentials,
        guard: EndpointGuard,
        recovery: RecoveryQueue,
        clock: Clock,
        webhooks_per_community: int,
    ) -> None:
        self._subscriptions = subscriptions
        self._idempotency = Idempotency(subscriptions)
        self._credentials = WebhookCredentials(credentials)
        self._checks = WebhookChecks(recovery)
        self._limit = webhooks_per_community
        self._guard = guard
        self._clock = clock

    def get(self, request: CommunityRequest, webhook_id: str) -> Webhook:
        """Return one webhook. Raises NotFoundError."""
        return self._stored(request.scope, webhook_id)

    def create(
        self,
        request: CommunityRequest,
        *,
        definition: Definition,
        credential: Credential | None,
        respond: Respond,
    ) -> str:
        """Store a webhook and return the response. Raises InvalidInputError, ConflictError."""
        scope, endpoint = request.scope, definition.endpoint
        # A secret costs more to make and to delete than to count first. Counted before the record is looked
        # for, so that a repeat is not refused for the webhook that its own request has just created.
        total = self._subscriptions.count(scope) if credential else 0
        record = self._idempotency.find(request, exists)
        if isinstance(record, str):
            return record
        problems = endpoint_problems(endpoint) + credential_problems(endpoint, credential)
        credential = needed_part(endpoint, credential)
        self._refuse(problems, endpoint_urls(endpoint))
        if total >= self._limit:
            raise CommunityFullError(total, self._limit)
        now = self._clock()
        webhook_id = self._subscriptions.next_id(scope, now=now)
        ref = self._credentials.store(scope, webhook_id, credential) if credential else None
        webhook = Webhook(
            id=webhook_id, scope=scope, definition=definition, created_at=int(now), credential=ref
        )
        response = respond(request.caller, webhook, credential)
        try:
            self._subscriptions.add(webhook, replace(record, body=response), limit=self._limit)
        except (AlreadyProcessedError, ConflictError, InvalidInputError) as error:
            # Read first: where responses are lost, a change may have taken effect although it looks lost.
            self._credentials.delete_unnamed(ref, self._subscriptions.get(scope, webhook_id))
            if isinstance(error, AlreadyProcessedError):
                return self._idempotency.response(request, exists)
            raise
        return response

    def update(self, request: CommunityRequest, webhook_id: str, patch: Patch, *, respond: Respond) -> str:
        """Change a webhook and return the response.

        Raises InvalidInputError, NotFoundError, ConflictError.
        """
        record = self._idempotency.find(request, is_at_revision)
        if isinstance(record, str):
            return record
        written: StoredCredential | None = None
        written_beside: str | None = None
        try:
            for race in range(RACES):
                before = self._stored(request.scope, webhook_id)
                definition = self._patched(request.caller, before, patch)
                patch = replace(patch, credential=needed_part(definition.endpoint, patch.credential))
                secret = before.credential.secret_name if before.credential else None
                if patch.credential and (race == 0 or secret != written_beside):
                    self._credentials.delete_unnamed(written, before)
                    written, written_beside = self._credentials.write(before, patch.credential), secret
                after = changed(before, definition, credential=written, now=self._clock())
                visible = self._credentials.visible_to(request.caller, after, patch.credential)
                response = respond(request.caller, after, visible)
                try:
                    self._subscriptions.change(before, after, record=replace(record, body=response))
                except StaleError:
                    continue
                self._credentials.settle(before.credential, after.credential)
                self._checks.after_change(before, after)
                return response
            raise ConflictError(RACED.format("change"))  # noqa: TRY301 - cleaned up as for the other errors
        except (AlreadyProcessedError, ConflictError, InvalidInputError, NotFoundError) as error:
            if written is not None:
                self._credentials.delete_unnamed(written, self._subscriptions.get(request.scope, webhook_id))
            if isinstance(error, AlreadyProcessedError):
                return self._idempotency.response(request, is_at_revision)
            raise

    def delete(self, request: CommunityRequest, webhook_id: str) -> None:
        """Delete a webhook with its credential. Raises NotFoundError, ConflictError."""
        record = self._idempotency.find(request, is_absent)
        if isinstance(record, str):
            return
        for _ in range(RACES):
            webhook = self._stored(request.scope, webhook_id)
            self._checks.before_removal(webhook)
            try:
                self._subscriptions.remove(webhook, record)
            except StaleError:
                continue
            except AlreadyProcessedError:
                self._subscriptions.next_epoch()
                return
            self._credentials.delete(webhook.credential)
            return
        raise ConflictError(RACED.format("request"))

    def _stored(self, scope: Scope, webhook_id: str) -> Webhook:
        webhook = self._subscriptions.get(scope, webhook_id)
        if webhook is None:
            raise NotFoundError(NO_WEBHOOK)
        return webhook

    def _patched(self, caller: Caller, before: Webhook, patch: Patch) -> Definition:
        """Return the definition that a patch makes. Raises InvalidInputError."""
        definition = patch.apply(before.definition)
        endpoint = definition.endpoint
        # An endpoint whose name does not resolve now must not keep its tenant from disabling the webhook.
        known = set(endpoint_urls(before.definition.endpoint).items())
        new = {name: url for name, url in endpoint_urls(endpoint).items() if (name, url) not in known}
        self._refuse(patch_problems(before, endpoint, patch.credential), new)
        if patch.credential is None and not caller.sees_credentials:
            self._refuse(reach_problems(before, endpoint), {})
        return definition

    def _refuse(self, problems: Sequence[Problem], urls: Mapping[str, str]) -> None:
        """Raise InvalidInputError with the problems and with the guard's refusals of the URLs."""
        refused = []
        for name, url in urls.items():
            try:
                self._guard.check(url)
            except EndpointRefusedError as refusal:
                refused.append(Problem(("endpoint", name), str(refusal)))
        if problems or refused:
            raise InvalidWebhookError([*problems, *refused])


def require_webhook_id(text: str) -> None:
    """Raise NotFoundError for a text that is no webhook's id."""
    if not WEBHOOK_ID.fullmatch(text):
        raise NotFoundError(NO_WEBHOOK)
