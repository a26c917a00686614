"""Composes the address guard."""

from webhooks.adapters.egress import EgressGuard
from webhooks.domain.addresses import parse_policy
from webhooks.settings import EgressSettings


def compose_guard(settings: EgressSettings) -> EgressGuard:
    """Return what decides where the service may connect."""
    return EgressGuard(
        parse_policy(
            allow_http=settings.allow_http_endpoints,
            ports=settings.allowed_ports,
            networks=settings.allowed_networks,
        )
    )
