"""Composes what authenticates requests: the service's keys and the licenses."""

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.licenses import TableLicenses
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.http.license_service import LicenseService
from webhooks.bootstrap import runtime
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.ports import KeyStore, Licenses
from webhooks.services.authentication import Authentication
from webhooks.settings import AuthenticationSettings


def compose_access(settings: AuthenticationSettings, aws: AwsClients, keys: KeyStore) -> Authenticator:
    """Return what lets requests in; `keys`: the service's own."""
    authentication = Authentication(
        keys=keys,
        licenses=_licenses(settings, aws, keys),
        clock=runtime.clock,
        allowed_time_span=settings.allowed_time_span,
        raw_headers=settings.raw_credential_headers,
    )
    return Authenticator(
        authentication,
        clock=runtime.clock,
        random_bytes=runtime.random_bytes,
        allowed_time_span=settings.allowed_time_span,
    )


def _licenses(settings: AuthenticationSettings, aws: AwsClients, keys: KeyStore) -> Licenses:
    own = TableLicenses(Table(aws, settings.access_table), clock=runtime.clock)
    if not settings.licenses_url:
        return own
    return LicenseService(
        settings.licenses_url, own=own, keys=keys, clock=runtime.clock, random_bytes=runtime.random_bytes
    )
