"""The directory of cells: a table that is not lost by accident, and policies for nothing else."""

import json
import subprocess
from typing import Any

import pytest

from tests.template.template import ROOT
from tests.template.test_bootstrap import READ

PATH = ROOT / "deploy" / "cells.yaml"


@pytest.fixture(scope="module")
def cells() -> dict[str, Any]:
    command = [str(ROOT / ".venv-sam/bin/python"), "-c", READ, str(PATH)]
    document: dict[str, Any] = json.loads(subprocess.check_output(command))
    return document


def test_the_directory_costs_what_is_read_and_is_kept(cells: dict[str, Any]) -> None:
    table = cells["Resources"]["Directory"]
    properties = table["Properties"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
    assert cells["Parameters"]["DeletionProtection"]["Default"] == "true"
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"


def test_producers_read_entries_and_operators_change_them_and_no_other(cells: dict[str, Any]) -> None:
    for policy, actions in (
        ("ReaderPolicy", {"GetItem"}),
        (
            "OperatorPolicy",
            {"GetItem", "Query", "Scan", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"},
        ),
    ):
        [statement] = cells["Resources"][policy]["Properties"]["PolicyDocument"]["Statement"]
        assert set(statement["Action"]) == {f"dynamodb:{each}" for each in actions}
        assert statement["Resource"] == {"Fn::GetAtt": ["Directory", "Arn"]}


def test_cloudformation_can_read_the_file_as_it_is() -> None:
    """It knows no aliases of YAML, which SAM takes out of the other template."""
    lines = PATH.read_text("utf-8").splitlines()
    assert not [line for line in lines if line.strip().startswith(("- &", "- *", "<<:"))]
