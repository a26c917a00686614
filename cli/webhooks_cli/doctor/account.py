"""Checks of the account and region: quotas, and the role with which API Gateway writes its logs."""

from collections.abc import Iterator
from typing import Any

from webhooks_cli.doctor.findings import FAILED, OK, WARNING, AbsentError, Finding
from webhooks_cli.doctor.stack import Stack

API_ROOM = 50  # concurrent executions for the functions behind the API
CONCURRENCY_QUOTA = "L-B99A9384"


def concurrency(stack: Stack) -> Iterator[Finding]:
    """Compare the quota with the queues' readers, which must fit beside the API's functions."""
    limit = stack.call("lambda", "GetAccountSettings")["AccountLimit"]
    whole, unreserved = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    reserved = {name: count for name, count in _reserved(stack).items() if count}
    wanted: dict[str, int] = {}
    unlimited: set[str] = set()
    for each in mappings(stack):
        function = each.get("FunctionArn", "").split(":function:")[-1].partition(":")[0]
        most = int(each.get("ScalingConfig", {}).get("MaximumConcurrency", 0))
        if not most:
            unlimited.add(function)
        wanted[function] = wanted.get(function, 0) + most
    over = {name: count for name, count in reserved.items() if wanted.get(name, 0) > count}
    for function, count in over.items():
        yield Finding(
            "concurrency",
            WARNING,
            f"The queues of {function} may run {wanted[function]} at once; {count} are reserved for it.",
            "lower its concurrency or raise what is reserved, parameters in samconfig.toml; then make deploy",
        )
    free = unreserved - sum(count for name, count in wanted.items() if name not in reserved)
    text = (
        f"The account runs {whole} functions at once, {unreserved} of them not reserved; "
        f"the queues take up to {sum(wanted.values())}"
    )
    if unlimited:
        text += f", and without a limit for {', '.join(sorted(unlimited))}"
    increase = stack.aws(
        f"service-quotas request-service-quota-increase --service-code lambda "
        f"--quota-code {CONCURRENCY_QUOTA} --desired-value 1000"
    )
    if free < 1:
        yield Finding("concurrency", FAILED, f"{text}, and leave none for the API.", increase)
    elif free < API_ROOM:
        yield Finding("concurrency", WARNING, f"{text}, and leave {free} for the API.", increase)
    elif not over:
        yield Finding("concurrency", OK, f"{text}.")


def mappings(stack: Stack) -> list[dict[str, Any]]:
    """Return the event source mappings of the stack, as Lambda has them."""
    return [
        stack.call("lambda", "GetEventSourceMapping", UUID=each.physical)
        for each in stack.resources("AWS::Lambda::EventSourceMapping")
    ]


def _reserved(stack: Stack) -> dict[str, int]:
    counts = {}
    for each in stack.resources("AWS::Lambda::Function"):
        try:
            found = stack.call("lambda", "GetFunctionConcurrency", FunctionName=each.physical)
        except AbsentError:  # an emulator's response where nothing is reserved
            continue
        counts[each.physical] = int(found.get("ReservedConcurrentExecutions") or 0)
    return counts


def gateway_quota(stack: Stack) -> Iterator[Finding]:
    found = stack.call("apigateway", "GetAccount").get("throttleSettings", {})
    rate, own = float(found.get("rateLimit", 0)), float(stack.parameters.get("ThrottlingRate", 0))
    if not rate:
        yield Finding("API quota", WARNING, "cannot be checked here: the account names no rate limit.")
    elif own > rate:
        yield Finding(
            "API quota",
            WARNING,
            f"ThrottlingRate is {own:g} requests a second; all APIs of the account together get {rate:g}.",
            f"ThrottlingRate={rate:g} in samconfig.toml, then make deploy, or ask for a higher quota",
        )
    else:
        yield Finding(
            "API quota", OK, f"The account's {rate:g} requests a second cover ThrottlingRate {own:g}."
        )


def log_role(stack: Stack) -> Iterator[Finding]:
    role = stack.call("apigateway", "GetAccount").get("cloudwatchRoleArn")
    if role:
        yield Finding("API log role", OK, "API Gateway has a role for its logs in this account and region.")
    else:
        yield Finding(
            "API log role",
            FAILED,
            "API Gateway has no role for its logs: the access log stays empty.",
            "ApiGatewayLogsRole=Create in samconfig.toml, then make deploy",
        )
