"""Checks of the functions: the version that is called, the queues and the schedules that call it."""

from collections.abc import Iterator
from typing import Any

from webhooks_cli.doctor.account import mappings
from webhooks_cli.doctor.findings import FAILED, OK, WARNING, Finding
from webhooks_cli.doctor.stack import Resource, Stack

ALIAS = "live"
LATEST = "$LATEST"
# Of a version, and of the function as it is now.
CONFIGURED = ("CodeSha256", "Environment", "Layers", "MemorySize", "Role", "Runtime", "Timeout")
REDEPLOY = "make deploy"


def live(stack: Stack) -> Iterator[Finding]:
    """Look whether the alias of each function has the newest version: other changes have no effect."""
    findings = [
        each for function in stack.resources("AWS::Lambda::Function") for each in _live(stack, function)
    ]
    yield from findings
    if not findings:
        count = len(stack.resources("AWS::Lambda::Function"))
        yield Finding("versions", OK, f"The alias {ALIAS} of all {count} functions is at the newest version.")


def _live(stack: Stack, function: Resource) -> Iterator[Finding]:
    alias = stack.call("lambda", "GetAlias", FunctionName=function.physical, Name=ALIAS)
    versions: dict[str, dict[str, Any]] = {}
    for page in stack.pages("lambda", "ListVersionsByFunction", FunctionName=function.physical):
        versions.update((each["Version"], each) for each in page["Versions"])
    newest = max((int(each) for each in versions if each.isdecimal()), default=0)
    if alias.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
        yield Finding(
            "versions",
            WARNING,
            f"{function.logical}: a release shifts its calls to another version.",
            "wait until it has ended, and check again",
        )
    elif alias["FunctionVersion"] != str(newest):
        yield Finding(
            "versions",
            FAILED,
            f"{function.logical}: {ALIAS} is at version {alias['FunctionVersion']}, the newest is {newest}.",
            REDEPLOY,
        )
    elif different := _differences(versions.get(LATEST, {}), versions[str(newest)]):
        yield Finding(
            "versions",
            WARNING,
            f"{function.logical}: was changed by hand, which {ALIAS} does not show: {', '.join(different)}.",
            REDEPLOY,
        )


def _differences(latest: dict[str, Any], published: dict[str, Any]) -> list[str]:
    return [name for name in CONFIGURED if name in latest and latest[name] != published.get(name)]


def sources(stack: Stack) -> Iterator[Finding]:
    """Look whether each event source mapping exists and is enabled."""
    found = mappings(stack)
    off = [each for each in found if each.get("State") not in {"Enabled", "Updating", "Enabling"}]
    for each in off:
        queue = str(each.get("EventSourceArn", "")).rpartition(":")[2]
        yield Finding(
            "queue readers",
            FAILED,
            f"Nothing reads {queue}: its mapping is {each.get('State')}.",
            stack.aws(f"lambda update-event-source-mapping --enabled --uuid {each['UUID']}"),
        )
    if not found:
        yield Finding("queue readers", FAILED, "The stack has no event source mapping.", REDEPLOY)
    elif not off:
        yield Finding("queue readers", OK, f"All {len(found)} event source mappings are enabled.")


def schedules(stack: Stack) -> Iterator[Finding]:
    rules = stack.resources("AWS::Events::Rule")
    off = [
        each
        for each in rules
        if stack.call("events", "DescribeRule", Name=each.physical.rpartition("/")[2]).get("State")
        != "ENABLED"
    ]
    for each in off:
        yield Finding(
            "schedules",
            FAILED,
            f"The schedule {each.logical} is disabled, as before a restore.",
            stack.aws(f"events enable-rule --name {each.physical.rpartition('/')[2]}"),
        )
    if not rules:
        yield Finding("schedules", FAILED, "The stack has no schedule.", REDEPLOY)
    elif not off:
        yield Finding("schedules", OK, f"All {len(rules)} schedules are enabled.")
