"""Runs all checks, and turns a call that fails into a finding."""

from collections.abc import Callable, Iterator

from webhooks_cli.doctor import account, functions, storage, watching, whole
from webhooks_cli.doctor.findings import FAILED, WARNING, AbsentError, DeniedError, Finding, UnansweredError
from webhooks_cli.doctor.stack import Stack

Check = Callable[[Stack], Iterator[Finding]]
CHECKS: tuple[tuple[str, Check], ...] = (
    ("stack", whole.state),
    ("version", whole.version),
    ("deletion of the stack", whole.protection),
    ("API", whole.api),
    ("concurrency", account.concurrency),
    ("API quota", account.gateway_quota),
    ("API log role", account.log_role),
    ("versions", functions.live),
    ("queue readers", functions.sources),
    ("schedules", functions.schedules),
    ("alarms", watching.alarms),
    ("alarm states", watching.alarm_states),
    ("dead letters", watching.dead_letters),
    ("age of messages", watching.ages),
    ("key", storage.key),
    ("key rotation", storage.rotation),
    ("backups", storage.recovery),
    ("expiry", storage.expiry),
    ("deletion of tables", storage.protection),
    ("secrets", storage.secrets),
    ("credentials", storage.credentials),
    ("orphaned credentials", watching.orphans),
    ("firewall", whole.firewall),
    ("budget", whole.budget),
)


def examine(stack: Stack, *, progress: Callable[[int, int], None]) -> list[Finding]:
    """Return the findings of all checks. Raises CliError where the stack itself cannot be read."""
    _ = stack.description
    findings = []
    for number, (name, check) in enumerate(CHECKS):
        progress(number, len(CHECKS))
        findings += run(name, check, stack)
    return findings


def run(name: str, check: Check, stack: Stack) -> list[Finding]:
    """Return a check's findings, up to the call that fails."""
    findings: list[Finding] = []
    try:
        findings.extend(check(stack))
    except DeniedError as error:
        findings.append(
            Finding(
                name,
                WARNING,
                f"cannot be checked: the permission {error.action} is missing.",
                "attach the policy of the output OperatorPolicyArn to your role",
            )
        )
    except AbsentError as error:
        text = f"A resource of the stack does not exist ({error})."
        findings.append(Finding(name, FAILED, text, "docs/restore.md"))
    except UnansweredError as error:
        findings.append(Finding(name, WARNING, f"cannot be checked here: {error}."))
    except (KeyError, TypeError, ValueError) as error:
        text = f"cannot be checked here: a response has another form ({type(error).__name__})."
        findings.append(Finding(name, WARNING, text))
    return findings
