"""Builds the authentication of requests: service keys, licenses and the limit of each tenant."""

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.licenses import TableLicenses
from webhooks.adapters.dynamodb.rate_limiter import DynamoRateLimiter, access_key
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.http.license_service import LicenseService
from webhooks.bootstrap.runtime import clock, random_bytes
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.ports import KeyStore, Licenses
from webhooks.services.authentication import Authentication
from webhooks.services.tenant_throttle import TenantThrottle
from webhooks.settings import AuthenticationSettings, ThrottleSettings


def authenticator(
    settings: AuthenticationSettings, aws: AwsClients, *, service_keys: KeyStore
) -> Authenticator:
    authentication = Authentication(
        keys=service_keys,
        licenses=_licenses(settings, aws, service_keys),
        clock=clock,
        allowed_time_span=settings.allowed_time_span,
        raw_headers=settings.raw_credential_headers,
    )
    return Authenticator(
        authentication,
        clock=clock,
        random_bytes=random_bytes,
        allowed_time_span=settings.allowed_time_span,
        throttle=_throttle(settings, aws) if isinstance(settings, ThrottleSettings) else None,
    )


def _throttle(settings: ThrottleSettings, aws: AwsClients) -> TenantThrottle:
    limiter = DynamoRateLimiter(Table(aws, settings.access_table), item_key=access_key)
    return TenantThrottle(limiter, rate=settings.tenant_rate, burst=settings.tenant_burst, clock=clock)


def _licenses(settings: AuthenticationSettings, aws: AwsClients, service_keys: KeyStore) -> Licenses:
    own = TableLicenses(Table(aws, settings.access_table), clock=clock)
    if not settings.licenses_url:
        return own
    return LicenseService(
        settings.licenses_url, own=own, keys=service_keys, clock=clock, random_bytes=random_bytes
    )
