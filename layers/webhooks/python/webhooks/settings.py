"""The settings of each function, and the environment variables that they are read from."""

from signing import Curve
from webhooks.environment import (
    Settings,
    as_curve,
    as_directory,
    as_licenses_url,
    as_seconds,
    is_word,
    variable,
)

# ---- groups of settings that several functions share


class LoggingSettings(Settings):
    """The name of the function in its log lines, their lowest level, and the namespace of its metrics."""

    service: str = variable("POWERTOOLS_SERVICE_NAME")
    level: str = variable("POWERTOOLS_LOG_LEVEL")
    namespace: str = variable("POWERTOOLS_METRICS_NAMESPACE")


class ServiceKeySettings(Settings):
    """The key pairs that callers encrypt for."""

    curve: Curve = variable("EC_CURVE_NAME", as_curve)
    service_keys_secret: str = variable("SERVICE_KEYS_SECRET")


class SigningKeySettings(Settings):
    """The signing keys, whose public halves are in the JWKS."""

    signing_keys_secret: str = variable("SIGNING_KEYS_SECRET")


class WebhookSecretSettings(Settings):
    """The master that webhooks' `whsec_` secrets are derived from."""

    webhook_master_secret: str = variable("WEBHOOK_MASTER_SECRET")


class CredentialSettings(Settings):
    """The secrets that hold webhooks' credentials, and the stack's key that others are sealed under.

    `kms_key_id`: empty for AWS's own key, which seals none.
    """

    credentials_prefix: str = variable("CREDENTIALS_PREFIX")
    kms_key_id: str = variable("KMS_KEY_ID")


class SubscriptionSettings(Settings):
    """The tables of webhooks, and of licenses and idempotency records."""

    subscriptions_table: str = variable("SUBSCRIPTIONS_TABLE")
    access_table: str = variable("ACCESS_TABLE")


class AuthenticationSettings(ServiceKeySettings):
    """The authentication of requests. `licenses_url`: empty where licenses are in our own table."""

    access_table: str = variable("ACCESS_TABLE")
    allowed_time_span: int = variable("ALLOWED_TIME_SPAN", int)
    raw_credential_headers: bool = variable("RAW_CREDENTIAL_HEADERS", is_word("Allowed"))
    licenses_url: str = variable("LICENSES_URL", as_licenses_url)


class ThrottleSettings(AuthenticationSettings):
    """The limit of each tenant's requests: `tenant_rate` per second, 0 for none, `tenant_burst` at once."""

    tenant_rate: int = variable("TENANT_RATE", int)
    tenant_burst: int = variable("TENANT_BURST", int)


class EgressSettings(Settings):
    """The addresses that the service may connect to, in the syntax of the template's parameters."""

    allow_http_endpoints: str = variable("ALLOW_HTTP_ENDPOINTS")
    allowed_ports: str = variable("ALLOWED_PORTS")
    allowed_networks: str = variable("ALLOWED_NETWORKS")


# ---- the functions, in the order of the template


class WebhooksSettings(
    LoggingSettings,
    ThrottleSettings,
    EgressSettings,
    SubscriptionSettings,
    CredentialSettings,
    WebhookSecretSettings,
):
    """`seals_credentials`: new credentials are sealed."""

    webhooks_per_community: int = variable("WEBHOOKS_PER_COMMUNITY", int)
    seals_credentials: bool = variable("CREDENTIAL_STORE", is_word("Table"))
    stack_id: str = variable("STACK_ID")
    deliveries_table: str = variable("DELIVERIES_TABLE")
    recovery_queue_url: str = variable("RECOVERY_QUEUE_URL")


class DeliveriesSettings(LoggingSettings, ThrottleSettings, SubscriptionSettings):
    deliveries_table: str = variable("DELIVERIES_TABLE")
    recovery_queue_url: str = variable("RECOVERY_QUEUE_URL")


class EventsSettings(LoggingSettings, ThrottleSettings):
    events_queue_url: str = variable("EVENTS_QUEUE_URL")


class TestEventSettings(
    LoggingSettings,
    ThrottleSettings,
    SigningKeySettings,
    WebhookSecretSettings,
    SubscriptionSettings,
    CredentialSettings,
    EgressSettings,
):
    """`default_ttl`: seconds of an attempt."""

    deliveries_table: str = variable("DELIVERIES_TABLE")
    default_ttl: int = variable("DEFAULT_TTL", int)
    attempt_log_days: int = variable("ATTEMPT_LOG_DAYS", int)


class ServiceKeysSettings(LoggingSettings, AuthenticationSettings, SigningKeySettings):
    """`key_cache_seconds`: that the dispatcher keeps keys; a reset waits for it."""

    key_grace_seconds: int = variable("KEY_GRACE_SECONDS", int)
    key_cache_seconds: int = variable("KEY_CACHE_SECONDS", int)


class EcdsaHelperSettings(LoggingSettings):
    curve: Curve = variable("EC_CURVE_NAME", as_curve)


class DiscoverySettings(LoggingSettings, ServiceKeySettings, SigningKeySettings, SubscriptionSettings):
    stage: str = variable("STAGE")
    region: str = variable("AWS_REGION")
    deliveries_table: str = variable("DELIVERIES_TABLE")
    events_queue_url: str = variable("EVENTS_QUEUE_URL")
    deliveries_queue_url: str = variable("DELIVERIES_QUEUE_URL")
    slow_deliveries_queue_url: str = variable("SLOW_DELIVERIES_QUEUE_URL")
    recovery_queue_url: str = variable("RECOVERY_QUEUE_URL")
    allowed_time_span: int = variable("ALLOWED_TIME_SPAN", int)
    service_directory: dict[str, str] = variable("SERVICE_DIRECTORY", as_directory)
    webhooks_per_community: int = variable("WEBHOOKS_PER_COMMUNITY", int)


class FanoutSettings(LoggingSettings):
    subscriptions_table: str = variable("SUBSCRIPTIONS_TABLE")
    deliveries_table: str = variable("DELIVERIES_TABLE")
    attempt_log_days: int = variable("ATTEMPT_LOG_DAYS", int)
    events_queue_url: str = variable("EVENTS_QUEUE_URL")
    deliveries_queue_url: str = variable("DELIVERIES_QUEUE_URL")
    events_dlq_url: str = variable("EVENTS_DLQ_URL")


class DispatcherSettings(
    LoggingSettings,
    ServiceKeySettings,
    SigningKeySettings,
    WebhookSecretSettings,
    SubscriptionSettings,
    CredentialSettings,
    EgressSettings,
):
    """`retry_delays`: seconds before each retry. `default_ttl`: seconds of an attempt.

    `key_cache_seconds`: for which keys are kept.
    """

    deliveries_table: str = variable("DELIVERIES_TABLE")
    deliveries_queue_url: str = variable("DELIVERIES_QUEUE_URL")
    slow_deliveries_queue_url: str = variable("SLOW_DELIVERIES_QUEUE_URL")
    deliveries_dlq_url: str = variable("DELIVERIES_DLQ_URL")
    retry_delays: tuple[int, ...] = variable("RETRY_DELAYS", as_seconds)
    default_ttl: int = variable("DEFAULT_TTL", int)
    fast_lane_seconds: float = variable("FAST_LANE_SECONDS", float)
    attempt_log_days: int = variable("ATTEMPT_LOG_DAYS", int)
    keep_all_payloads: bool = variable("KEEP_PAYLOADS", is_word("All"))
    recover_deliveries: bool = variable("RECOVER_DELIVERIES", is_word("true"))
    breaker_failures: int = variable("BREAKER_FAILURES", int)
    breaker_seconds: int = variable("BREAKER_SECONDS", int)
    probe_seconds: int = variable("PROBE_SECONDS", int)
    key_cache_seconds: int = variable("KEY_CACHE_SECONDS", int)
    webhook_cache_seconds: int = variable("WEBHOOK_CACHE_SECONDS", int)
    events_queue_url: str = variable("EVENTS_QUEUE_URL")
    recovery_queue_url: str = variable("RECOVERY_QUEUE_URL")


class RecoverySettings(LoggingSettings, SubscriptionSettings):
    """`recovery_rate`: deliveries per second. `probe_seconds`: until the first probe."""

    deliveries_table: str = variable("DELIVERIES_TABLE")
    events_queue_url: str = variable("EVENTS_QUEUE_URL")
    slow_deliveries_queue_url: str = variable("SLOW_DELIVERIES_QUEUE_URL")
    recovery_queue_url: str = variable("RECOVERY_QUEUE_URL")
    recovery_dlq_url: str = variable("RECOVERY_DLQ_URL")
    attempt_log_days: int = variable("ATTEMPT_LOG_DAYS", int)
    keep_all_payloads: bool = variable("KEEP_PAYLOADS", is_word("All"))
    recovery_rate: int = variable("RECOVERY_RATE", int)
    probe_seconds: int = variable("PROBE_SECONDS", int)
    disable_after_days: int = variable("DISABLE_AFTER_DAYS", int)


class MaintenanceSettings(LoggingSettings, SubscriptionSettings):
    credentials_prefix: str = variable("CREDENTIALS_PREFIX")
    stack_id: str = variable("STACK_ID")
    recovery_queue_url: str = variable("RECOVERY_QUEUE_URL")


class PreTrafficSettings(LoggingSettings):
    """The check of a release has no settings of its own."""
