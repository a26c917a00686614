"""How a patch changes a webhook, and which changes need the credential again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from webhooks.domain.endpoint_url import parse_url
from webhooks.domain.errors import Problem
from webhooks.domain.webhook import AuthType, Credential, CredentialRef, Definition, Endpoint, Webhook
from webhooks.domain.webhook_rules import credential_problems, endpoint_problems, endpoint_urls


@dataclass(frozen=True, slots=True)
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


def changed(before: Webhook, definition: Definition, *, credential: CredentialRef | None) -> Webhook:
    """Return the webhook's next revision. `credential`: a new one, None where the stored one stays."""
    without = definition.endpoint.auth_type is AuthType.NONE
    return replace(
        before,
        definition=definition,
        revision=before.revision + 1,
        credential=None if without else (credential or before.credential),
        disabled_reason=before.disabled_reason if definition.disabled else None,
    )


def _origin(url: str) -> tuple[str, str, int]:
    parts = parse_url(url)
    return parts.scheme, parts.host, parts.port
