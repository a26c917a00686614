"""`webhooks doctor`: whether a deployment is configured and ready as it should be; for operators."""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from webhooks_cli.context import CliContext
from webhooks_cli.deployment import find_deployment
from webhooks_cli.doctor.examination import examine
from webhooks_cli.doctor.findings import FAILED, OK, WARNING, Finding
from webhooks_cli.doctor.stack import Stack
from webhooks_cli.options import add_command, deployment_options, output_options
from webhooks_cli.progress_bar import ProgressBar
from webhooks_cli.result import Result

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

DESCRIPTION = """\
Check a deployment, before its first event and after every change: quotas of the account, alarms, the version
that is called, queues and their readers, schedules, key, backups, secrets, credentials. Each finding is ok, a
warning or failed, in one sentence, with the command that mends it. It changes nothing and reads no secret.
The exit code is 1 where something failed. The policy of the output OperatorPolicyArn has every permission
that it needs.

examples:
  webhooks doctor --stack webhooks --region eu-west-1
  webhooks doctor --profile prod --json | jq '.findings[] | select(.state != "ok")'
  webhooks doctor                      # the local stack
"""
STATES = (FAILED, WARNING, OK)  # the most urgent first


def add_parser(commands: "Commands") -> None:
    add_command(
        commands, "doctor", run=run, summary="check a deployment's configuration and readiness (operators)",
        description=DESCRIPTION, parents=[output_options(), deployment_options()],
    )  # fmt: skip


def run(options: Namespace, context: CliContext) -> Result:
    stack = Stack(find_deployment(options, context))
    with ProgressBar(context.stderr, "checks") as bar:
        findings = examine(stack, progress=bar.show)
    findings.sort(
        key=lambda each: STATES.index(each.state)
    )  # a stable sort: the checks' order within a state
    counts = {state: sum(each.state == state for each in findings) for state in STATES}
    return Result(
        document={"stack": stack.name, "counts": counts, "findings": [each.document() for each in findings]},
        shown="\n".join(line for each in findings for line in _lines(each)),
        notes=(f"{stack.name}: {_summary(counts)}",),
        exit_code=1 if counts[FAILED] else 0,
    )


def _summary(counts: Mapping[str, int]) -> str:
    warnings = f"{counts[WARNING]} warning{'' if counts[WARNING] == 1 else 's'}"
    return f"{counts[FAILED]} failed, {warnings}, {counts[OK]} ok"


def _lines(finding: Finding) -> Iterator[str]:
    """Write a finding; its command has a line of its own: a narrow table would cut it off."""
    yield f"{finding.state:<{max(map(len, STATES))}}  {finding.check}: {finding.text}"
    if finding.mend:
        yield f"    {finding.mend}"
