"""Builds the address guard."""

from webhooks.adapters.http.egress_guard import EgressGuard
from webhooks.domain.egress_policy import parse_policy
from webhooks.settings import EgressSettings


def egress_guard(settings: EgressSettings) -> EgressGuard:
    return EgressGuard(
        parse_policy(
            allow_http=settings.allow_http_endpoints,
            ports=settings.allowed_ports,
            networks=settings.allowed_networks,
        )
    )
