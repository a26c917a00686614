"""The gate of the template: checkov's rules, and no skip of a rule without its reason."""

from pathlib import Path

import pytest

from tools.gates import template
from tools.gates.gate import GateError

HEAD = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters: {}
Globals: {Function: {Runtime: python3.13}}
Resources:
"""
BAD = f"""{HEAD}
  Open:
    Type: AWS::S3::Bucket
    Properties: {{AccessControl: PublicRead}}
  Unreasoned:
    Type: AWS::SNS::Topic
    Metadata: {{checkov: {{skip: [{{id: CKV_AWS_26, comment: ""}}]}}}}
  Reasoned:
    Type: AWS::SNS::Topic
    Metadata: {{checkov: {{skip: [{{id: CKV_AWS_26, comment: the messages of this topic are public}}]}}}}
"""


def test_a_bad_template_fails_with_each_finding(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(BAD)
    with pytest.raises(GateError) as raised:
        template.check(path)
    findings = str(raised.value).splitlines()
    assert any("CKV_AWS_20 Open" in each for each in findings)  # everyone may read it
    assert any("CKV_AWS_26 Unreasoned" in each and "without a comment" in each for each in findings)
    assert not any(" Reasoned" in each for each in findings)


@pytest.mark.parametrize("reason", ["", " # later", " # because"])
def test_a_skip_without_a_reason_fails(tmp_path: Path, reason: str) -> None:
    configuration = tmp_path / ".checkov.yaml"
    configuration.write_text(f"skip-check:\n  - CKV_AWS_117{reason}\n")
    with pytest.raises(GateError, match="skips without a reason: CKV_AWS_117"):
        template.check(configuration=configuration)


def test_each_skip_of_this_template_has_its_reason() -> None:
    listed = template.CONFIGURATION.read_text().count("\n  - ")
    skipped = list(template.skips(template.CONFIGURATION))
    assert len(skipped) == listed > 0
    assert all(template.REASON.match(each["reason"]) for each in skipped)
