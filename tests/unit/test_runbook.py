"""docs/runbook.md: a section and a row for each alarm, and only commands that exist."""

import re
import shlex

import pytest

from tests import aws_commands, runbook
from webhooks_cli.main import parser
from webhooks_cli.stack_functions import function_name

ROOT = runbook.PAGE.parents[1]
DESCRIBED = re.compile(r"AlarmDescription:.* docs/runbook\.md#([a-z-]+)\"?$", re.MULTILINE)
ALARMS = set(DESCRIBED.findall((ROOT / "template.yaml").read_text("utf-8")))
COMMANDS = sorted(set(runbook.commands_of(runbook.PAGE.read_text("utf-8"))))
CAPITALS = re.compile(r"\b[A-Z]{4,}\b")
EXAMPLES = {
    "TIME": "2026-11-26T09:00:00Z",
    "UUID": "3428ae71-7675-4d42-8926-3bfc81adcd43",
    "WEBHOOK": "65f0c0ffee65f0c0ffee65f0",
}


def test_each_alarm_has_a_section_and_a_row() -> None:
    assert len(ALARMS) > 20
    assert set(runbook.sections()) == ALARMS
    assert sorted(name for name, _, _ in runbook.rows()) == sorted(ALARMS)
    assert [name for name, link, _ in runbook.rows() if name != link] == []


def test_an_alarm_without_a_section_here_is_a_canarys() -> None:
    template = (ROOT / "template.yaml").read_text("utf-8")
    others = re.findall(r"AlarmDescription: (.*)$", template, re.MULTILINE)
    assert others
    assert {
        each.rpartition(" ")[2]
        for each in others
        if not each.strip('"').endswith(tuple(f"#{name}" for name in ALARMS))
    } <= {"docs/releases.md#canary"}
    assert "\n## Canary\n" in (ROOT / "docs" / "releases.md").read_text("utf-8")


def test_a_row_has_one_of_two_severities() -> None:
    assert {severity for _, _, severity in runbook.rows()} == {"page", "ticket"}


@pytest.mark.parametrize("name", runbook.sections())
def test_a_section_says_who_is_hit_how_badly_and_when_it_is_healed(name: str) -> None:
    section = runbook.sections()[name]
    assert [each for each in ("**Tenants**:", "**How bad**:", "Healed") if each not in section.text] == []
    steps = re.findall(r"^(\d+)\. ", section.text, re.MULTILINE)
    assert [int(each) for each in steps] == list(range(1, len(steps) + 1))
    assert section.commands


@pytest.mark.parametrize("line", [each for each in COMMANDS if each.startswith("webhooks ")])
def test_a_command_of_webhooks_is_one(line: str) -> None:
    words = [
        CAPITALS.sub(lambda found: EXAMPLES.get(found[0], found[0].lower()), each) for each in _words(line)
    ]
    options = parser().parse_args(words)
    assert options.run
    assert "--no-auth" in words or options.stack == "webhooks"


@pytest.mark.parametrize("line", [each for each in COMMANDS if each.startswith("aws ")])
def test_a_command_of_aws_is_one(line: str) -> None:
    assert aws_commands.read(line).service


def test_every_command_is_of_these_two_programs() -> None:
    assert {line.split()[0] for line in COMMANDS} == {"webhooks", "aws"}


@pytest.mark.parametrize(
    "line",
    [
        "aws lambda delete-function-concurency --function-name a",
        "aws lambda update-event-source-mapping --uid a --enabled",
        "aws lambda update-event-source-mapping --enabled",
        "aws logs tail /webhooks/fanout --filter ERROR",
    ],
)
def test_a_wrong_command_of_aws_is_found(line: str) -> None:
    with pytest.raises(ValueError, match=r"has no|lacks|no option"):
        aws_commands.read(line)


@pytest.mark.parametrize(("line", "enabled"), [("--enabled", True), ("--no-enabled", False)])
def test_a_flag_of_aws_is_read(line: str, enabled: bool) -> None:
    read = aws_commands.read(f"aws lambda update-event-source-mapping --uuid a {line} --region eu-west-1")
    assert read.parameters == {"UUID": "a", "Enabled": enabled}


def test_a_structure_of_aws_is_read() -> None:
    read = aws_commands.read(
        "aws lambda update-event-source-mapping --uuid a --scaling-config MaximumConcurrency=100"
    )
    assert read.parameters["ScalingConfig"] == {"MaximumConcurrency": 100}


def test_the_functions_of_a_page_are_those_of_the_template() -> None:
    template = (ROOT / "template.yaml").read_text("utf-8")
    functions = {function_name(each) for each in re.findall(r"^  (\w+Function):$", template, re.MULTILINE)}
    named = {
        path.rpartition("/")[2]
        for line in COMMANDS
        for path in _words(line, drop=0)
        if path.startswith("/webhooks/") and "FUNCTION" not in path
    }
    assert named
    assert named <= functions


def _words(line: str, drop: int = 1) -> list[str]:
    return shlex.split(line)[drop:]
