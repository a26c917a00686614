"""The parameters of an acceptance deployment: as in production, with short waits and small numbers."""

import platform

from acceptance.account import Account

STAGE = "acceptance"
COMMON = {
    "Stage": STAGE,
    "DeletionProtection": "false",  # the tear-down deletes the tables
    "LogRetentionDays": "1",
    "RetryDelays": "1,2",
    "BreakerSeconds": "5",
    "ProbeSeconds": "10",
    # A new account runs ten functions at once: these leave room for the API.
    "FanoutConcurrency": "2",
    "DispatcherConcurrency": "4",
    "SlowDispatcherConcurrency": "2",
    "RecoveryConcurrency": "2",
    # All tests call as one tenant.
    "TenantRate": "500",
    "TenantBurst": "1000",
}
AWS = {"Architecture": "arm64", "ThrottlingRate": "50", "ThrottlingBurst": "50"}
# Callbacks go to the emulator itself, which speaks no TLS; its throttling would hold up the tests.
EMULATOR = {
    "AllowHttpEndpoints": "true",
    "AllowedPorts": "*",
    "AllowedNetworks": "127.0.0.0/8",
    "ThrottlingRate": "1000",
    "ThrottlingBurst": "2000",
    "Alarms": "Basic",  # the others have metric math, which it does not know
}
CHANGED_DELAYS = "3,4"  # of the deployment that changes a parameter alone


def parameters_for(account: Account, **changes: str) -> dict[str, str]:
    """Return the parameters; `changes` override them."""
    processor = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    own = {**EMULATOR, "Architecture": processor} if account.is_emulator else AWS
    return {**COMMON, **own, "ApiGatewayLogsRole": logs_role(account), **changes}


def logs_role(account: Account) -> str:
    """Return `Existing` where the account has a role for API Gateway's logs: a run never replaces it."""
    set_already = account.client("apigateway").get_account().get("cloudwatchRoleArn")
    return "Existing" if set_already else "Create"
