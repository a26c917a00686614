"""The metadata with which the Serverless Application Repository lists the service."""

import re
from typing import Any

import pytest

from tests.template.template import ROOT, Template
from webhooks_cli import __version__

LIMITS = {"Name": 140, "Description": 256, "Author": 127}  # characters


@pytest.fixture
def metadata(template: Template) -> dict[str, Any]:
    found: dict[str, Any] = template.document["Metadata"]["AWS::ServerlessRepo::Application"]
    return found


def test_the_version_is_the_projects(template: Template, metadata: dict[str, Any]) -> None:
    assert metadata["SemanticVersion"] == __version__
    assert template.document["Outputs"]["Version"]["Value"] == __version__


def test_texts_fit(metadata: dict[str, Any]) -> None:
    assert {name: len(metadata[name]) <= most for name, most in LIMITS.items()} == dict.fromkeys(LIMITS, True)
    assert re.fullmatch(r"[A-Za-z0-9-]+", metadata["Name"])
    assert len(metadata["Labels"]) <= 10
    assert all(re.fullmatch(r"[A-Za-z0-9+_:/@-]{1,127}", each) for each in metadata["Labels"])


def test_license_and_readme_exist(metadata: dict[str, Any]) -> None:
    assert metadata["SpdxLicenseId"] == "Apache-2.0"
    assert "Apache License" in (ROOT / metadata["LicenseUrl"]).read_text("utf-8")
    assert (ROOT / metadata["ReadmeUrl"]).is_file()
