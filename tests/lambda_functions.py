"""The functions as Lambda loads them: their environment, and the module of each."""

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from unittest import mock

FUNCTIONS = Path(__file__).parents[1] / "functions"

# An account that does not exist, and no configuration of the developer.
ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
# Each variable that the template gives to any of the functions.
ENVIRONMENT = ACCOUNT | {
    "POWERTOOLS_SERVICE_NAME": "test",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "POWERTOOLS_METRICS_NAMESPACE": "Webhooks/webhooks",
    "STAGE": "prod",
    "STACK_ID": "arn:aws:cloudformation:us-east-1:000000000000:stack/webhooks/0",
    "EC_CURVE_NAME": "secp256k1",
    "SUBSCRIPTIONS_TABLE": "subscriptions",
    "ACCESS_TABLE": "access",
    "DELIVERIES_TABLE": "deliveries",
    "EVENTS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/events",
    "EVENTS_DLQ_URL": "https://sqs.us-east-1.amazonaws.com/1/events-dlq",
    "DELIVERIES_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/deliveries",
    "SLOW_DELIVERIES_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/slow",
    "RECOVERY_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/recovery",
    "DELIVERIES_DLQ_URL": "https://sqs.us-east-1.amazonaws.com/1/deliveries-dlq",
    "RECOVERY_DLQ_URL": "https://sqs.us-east-1.amazonaws.com/1/recovery-dlq",
    "SERVICE_KEYS_SECRET": "service-keys",
    "SIGNING_KEYS_SECRET": "signing-keys",
    "WEBHOOK_MASTER_SECRET": "webhook-master",
    "CREDENTIALS_PREFIX": "webhooks/credentials/",
    "KMS_KEY_ID": "",
    "CREDENTIAL_STORE": "SecretsManager",
    "KEY_GRACE_SECONDS": "86400",
    "KEY_CACHE_SECONDS": "300",
    "ALLOWED_TIME_SPAN": "120",
    "RAW_CREDENTIAL_HEADERS": "Refused",
    "TENANT_RATE": "0",
    "TENANT_BURST": "100",
    "LICENSES_URL": "",
    "SERVICE_DIRECTORY": "{}",
    "WEBHOOKS_PER_COMMUNITY": "1000",
    "ALLOW_HTTP_ENDPOINTS": "false",
    "ALLOWED_PORTS": "443",
    "ALLOWED_NETWORKS": "",
    "RETRY_DELAYS": "30,300",
    "DEFAULT_TTL": "5",
    "FAST_LANE_SECONDS": "1",
    "ATTEMPT_LOG_DAYS": "30",
    "KEEP_PAYLOADS": "Undelivered",
    "RECOVER_DELIVERIES": "true",
    "RECOVERY_RATE": "50",
    "BREAKER_FAILURES": "10",
    "BREAKER_SECONDS": "60",
    "PROBE_SECONDS": "30",
    "DISABLE_AFTER_DAYS": "5",
    "WEBHOOK_CACHE_SECONDS": "0",
}
# Endpoints on this machine are allowed.
LOOPBACK = {"ALLOW_HTTP_ENDPOINTS": "true", "ALLOWED_PORTS": "*", "ALLOWED_NETWORKS": "127.0.0.0/8"}


def load_function(name: str, environment: Mapping[str, str] = ENVIRONMENT) -> ModuleType:
    """Run functions/<name>/app.py with these variables; return a module of its own for each call."""
    spec = importlib.util.spec_from_file_location(f"functions_{name}_app", FUNCTIONS / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict(os.environ, environment):
        spec.loader.exec_module(module)
    return module
