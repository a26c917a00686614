"""Checks of the stack as a whole: its state, its version, its API, firewall and budget."""

from collections.abc import Iterator

import urllib3

from webhooks_cli import __version__
from webhooks_cli.doctor.findings import FAILED, OK, WARNING, Finding, UnansweredError
from webhooks_cli.doctor.stack import Stack

SECONDS = urllib3.Timeout(connect=5, read=20)
HTTP_OK = 200
TROUBLE = ("FAILED", "ROLLBACK")
SETTLED = "_COMPLETE"


def state(stack: Stack) -> Iterator[Finding]:
    status = stack.description["StackStatus"]
    if status == "UPDATE_ROLLBACK_COMPLETE":
        yield Finding(
            "stack",
            FAILED,
            f"The last deployment was rolled back ({status}).",
            stack.aws(f"cloudformation describe-stack-events --stack-name {stack.name}"),
        )
    elif any(each in status for each in TROUBLE):
        yield Finding(
            "stack",
            FAILED,
            f"The stack is in the state {status}.",
            "docs/deployment.md, A first deployment that fails",
        )
    elif not status.endswith(SETTLED):
        yield Finding("stack", WARNING, f"A deployment is under way ({status}).", "wait, and check again")
    else:
        yield Finding("stack", OK, f"The stack is in the state {status}.")


def protection(stack: Stack) -> Iterator[Finding]:
    if stack.description.get("EnableTerminationProtection"):
        yield Finding("deletion of the stack", OK, "The stack is protected against its deletion.")
    else:
        yield Finding(
            "deletion of the stack",
            WARNING,
            "One command may delete the stack with its queues.",
            stack.aws(
                f"cloudformation update-termination-protection --enable-termination-protection "
                f"--stack-name {stack.name}"
            ),
        )


def version(stack: Stack) -> Iterator[Finding]:
    deployed = stack.output("Version")
    if deployed == __version__:
        yield Finding("version", OK, f"Stack and command have the version {deployed}.")
    else:
        yield Finding(
            "version",
            WARNING,
            f"The stack has the version {deployed}, this command {__version__}.",
            f"git checkout v{deployed}, or deploy: make deploy",
        )


def api(stack: Stack) -> Iterator[Finding]:
    """Ask the health check, which reads all tables and queues and the service's secrets."""
    url = f"{stack.deployment.url or stack.output('ApiUrl')}/healthz"
    try:
        response = urllib3.request("GET", url, timeout=SECONDS, retries=False)
    except urllib3.exceptions.HTTPError as error:
        yield Finding(
            "API",
            FAILED,
            f"{url} does not respond ({type(error).__name__}).",
            "look at the domain's DNS record",
        )
        return
    if response.status == HTTP_OK:
        yield Finding("API", OK, "The API responds, and reads its tables, queues and secrets.")
    else:
        text = response.data.decode("utf-8", "replace")[:200]
        yield Finding(
            "API",
            FAILED,
            f"{url} responds with {response.status}: {text}",
            stack.aws(f"logs tail /{stack.name}/discovery --since 10m"),
        )


def firewall(stack: Stack) -> Iterator[Finding]:
    stages = stack.resources("AWS::ApiGateway::Stage")
    apis = stack.resources("AWS::ApiGateway::RestApi")
    if not stages or not apis:
        raise UnansweredError("the stack lists no stage of an API")
    found = stack.call(
        "apigateway", "GetStage", restApiId=apis[0].physical, stageName=stages[0].physical.rpartition("|")[2]
    )
    if found.get("webAclArn"):
        yield Finding("firewall", OK, "A web ACL of AWS WAF filters the API's requests.")
    else:
        yield Finding(
            "firewall",
            WARNING,
            "No web ACL of AWS WAF filters the API's requests.",
            "docs/guards.md says when one is worth its price: WafRequestsPerIp",
        )


def budget(stack: Stack) -> Iterator[Finding]:
    if stack.resources("AWS::Budgets::Budget"):
        yield Finding("budget", OK, "A budget of the stack watches the bill.")
    else:
        yield Finding(
            "budget",
            WARNING,
            "No budget of the stack watches the bill.",
            "MonthlyBudget and BudgetEmail in samconfig.toml, then make deploy; docs/guards.md",
        )
