"""`sam package` makes a template that the Serverless Application Repository can list."""

import subprocess
from pathlib import Path

import pytest

from local import emulator
from local.paths import ROOT, tool
from local.stack import Stack

BUCKET = "webhooks-packages"


@pytest.fixture(scope="module")
def packaged(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    target = tmp_path_factory.mktemp("package") / "packaged.yaml"
    stack.client("s3").create_bucket(Bucket=BUCKET)
    command: list[str | Path] = [tool(".venv-sam", "sam"), "package", "--s3-bucket", BUCKET]
    files: list[str | Path] = [
        "--template-file",
        stack.folder / "build" / "template.yaml",
        "--output-template-file",
        target,
    ]
    subprocess.run(
        [*command, *files],
        cwd=ROOT,
        env=emulator.client_environment(stack.port),
        check=True,
        capture_output=True,
    )
    return target.read_text("utf-8")


def test_license_and_readme_are_in_the_bucket(packaged: str, stack: Stack) -> None:
    for name, text in (("LicenseUrl", b"Apache License"), ("ReadmeUrl", b"# Webhooks")):
        [line] = [each for each in packaged.splitlines() if each.strip().startswith(f"{name}: ")]
        url = line.split(": ", 1)[1]
        assert url.startswith(f"s3://{BUCKET}/")
        body = (
            stack.client("s3")
            .get_object(Bucket=BUCKET, Key=url.removeprefix(f"s3://{BUCKET}/"))["Body"]
            .read()
        )
        assert text in body


def test_no_path_of_this_machine_is_left(packaged: str) -> None:
    assert str(ROOT) not in packaged
    assert "../" not in packaged
