"""Composes the address guard."""

from webhooks.adapters.http.egress_guard import EgressGuard
from webhooks.domain.egress_policy import parse_policy
from webhooks.settings import EgressSettings


def compose_guard(settings: EgressSettings) -> EgressGuard:
    """Return the guard with the deployment's policy."""
    return EgressGuard(
        parse_policy(
            allow_http=settings.allow_http_endpoints,
            ports=settings.allowed_ports,
            networks=settings.allowed_networks,
        )
    )
