"""How a tenant's request changes a webhook, and which changes need the credential again."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from webhooks.domain.endpoint_url import parse_url
from webhooks.domain.errors import Problem
from webhooks.domain.values import value_type
from webhooks.domain.webhook import AuthType, Credential, Definition, Endpoint, StoredCredential, Webhook
from webhooks.domain.webhook_rules import credential_problems, endpoint_problems, endpoint_urls


@value_type(frozen=True, slots=True)
class Patch:
    """New values for fields of Definition and Endpoint, by name; no credential keeps the stored one."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    endpoint: Mapping[str, Any] = field(default_factory=dict)
    credential: Credential | None = None

    def apply(self, definition: Definition) -> Definition:
        """Return the definition with the new values."""
        endpoint = replace(definition.endpoint, **self.endpoint)
        return replace(definition, **{**self.fields, "endpoint": endpoint})


def patch_problems(before: Webhook, endpoint: Endpoint, given: Credential | None) -> list[Problem]:
    """Return the problems of the endpoint that a patch makes. `given`: the patch's own credential."""
    problems = endpoint_problems(endpoint)
    stays = endpoint.auth_type is before.definition.endpoint.auth_type and before.credential is not None
    if given is not None or not stays:
        problems += credential_problems(endpoint, given)
    return problems


def reach_problems(before: Webhook, endpoint: Endpoint) -> Sequence[Problem]:
    """Return a problem for each new host that would get the stored credential."""
    if before.credential is None or endpoint.auth_type is AuthType.NONE:
        return []
    known = {_origin(url) for url in endpoint_urls(before.definition.endpoint).values()}
    return [
        Problem(("endpoint", "credential"), f"required again where the host of {{endpoint.{name}}} changes")
        for name, url in endpoint_urls(endpoint).items()
        if _origin(url) not in known
    ]


def changed(
    before: Webhook, definition: Definition, *, credential: StoredCredential | None, now: float
) -> Webhook:
    """Return the webhook's next revision. `credential`: a new one, None where the stored one stays.

    `now` in epoch seconds: its change of state has this time.
    """
    without = definition.endpoint.auth_type is AuthType.NONE
    after = replace(
        before,
        definition=definition,
        revision=before.revision + 1,
        credential=None if without else (credential or before.credential),
        disabled_reason=before.disabled_reason if definition.disabled else None,
    )
    return _with_state(before, after, round(now * 1000))


def begins_again(before: Webhook, after: Webhook) -> bool:
    """Tell whether a change lets held deliveries be sent: it is resumed, or enabled."""
    return (before.definition.paused and not after.definition.paused) or (
        before.definition.disabled and not after.definition.disabled
    )


def _with_state(before: Webhook, after: Webhook, now: int) -> Webhook:
    """Return the webhook with its tenant's change of state in its history, if the change is one."""
    done = [
        verbs[now_holds]
        for then_holds, now_holds, verbs in (
            (before.definition.disabled, after.definition.disabled, ("enabled", "disabled")),
            (before.definition.paused, after.definition.paused, ("resumed", "paused")),
        )
        if then_holds is not now_holds
    ]
    if not done:
        return after
    health = before.health
    if before.definition.disabled and after.enabled:
        # An endpoint that failed for days begins anew, or the service would disable it again at once.
        health = replace(
            health,
            failing_since=None,
            held_since=None,
            failures=0,
            failures_since=None,
            probe_at=None,
            probe_delay=None,
        )
    after = replace(after, health=health)
    return replace(after, health=health.changed(now, after.states[0], f"{' and '.join(done)} by its tenant"))


def _origin(url: str) -> tuple[str, str, int]:
    parts = parse_url(url)
    return parts.scheme, parts.host, parts.port
