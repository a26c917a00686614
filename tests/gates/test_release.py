"""Releases: one version everywhere, a commit that was tested, artefacts that can be deployed, notes."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.gates.gate import ROOT, GateError
from tools.release import assets
from tools.release.__main__ import git, main, obstacles
from tools.release.versions import faults, notes, project_version, sections, versions

CHANGELOG = """\
# Changelog

## [Unreleased]

## [1.2.0] - 2026-11-26

### Added
- A thing.

## [1.1.0] - 2026-01-01
- Another.
"""
OUTPUT = 'Outputs:\n  Version:\n    Description: Version of the service\n    Value: "1.2.0"\n'


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """The files that a version stands in, in a repository with one commit."""
    root = tmp_path / "sources"
    for place in ("cli/webhooks_cli", "verify/webhooks_verify"):
        (root / place).mkdir(parents=True)
        (root / place / "__init__.py").write_text('__version__ = "1.2.0"  # of all\n')
    (root / "template.yaml").write_text(OUTPUT)
    (root / "CHANGELOG.md").write_text(CHANGELOG)
    subprocess.run(["git", "init", "--quiet", root], check=True)
    git("config", "user.name", "a test", folder=root)
    git("config", "user.email", "test@example.com", folder=root)
    commit(root)
    return root


def commit(root: Path) -> None:
    git("add", "--all", folder=root)
    git("commit", "--quiet", "--message", "a change", folder=root)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_this_repository_has_one_version_and_its_changelog() -> None:
    version = project_version()
    assert set(versions().values()) == {version}
    listed = sections((ROOT / "CHANGELOG.md").read_text())
    assert [each.version for each in listed][:2] == ["Unreleased", version]
    assert "### Added" in notes(version)


def test_sources_of_a_release_have_no_fault(sources: Path) -> None:
    assert faults("1.2.0", sources) == []
    assert notes("1.2.0", sources) == "### Added\n- A thing."


@pytest.mark.parametrize("version", ["1.2", "v1.2.0", "1.2.0-beta", "1.2.0; ls"])
def test_a_text_that_is_no_version_is_refused(sources: Path, version: str) -> None:
    assert faults(version, sources) == [f"{version} is no version: 1.2.3, or 1.2.3-rc.1"]


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        (
            "verify/webhooks_verify/__init__.py",
            "1.2.0",
            "1.1.0",
            "__init__.py has the version 1.1.0, not 1.2.0",
        ),
        ("template.yaml", "Version:", "Other:", r"template.yaml has the version \(none\), not 1.2.0"),
        (
            "template.yaml",
            "Outputs:",
            "  SemanticVersion: 1.1.0\nOutputs:",
            "SemanticVersion has the version 1.1.0",
        ),
        ("CHANGELOG.md", "## [1.2.0] - 2026-11-26\n", "", r"has changes under \[Unreleased\]"),
        ("CHANGELOG.md", "[1.2.0]", "[1.3.0]", r"has no section \[1.2.0\]"),
        ("CHANGELOG.md", " - 2026-11-26", "", r"\[1.2.0\] of CHANGELOG.md needs a date"),
        ("CHANGELOG.md", "## [Unreleased]\n", "", r"does not begin with a section \[Unreleased\]"),
    ],
)
def test_each_fault_of_the_sources_is_named(sources: Path, file: str, old: str, new: str, fault: str) -> None:
    replace(sources / file, old, new)
    with pytest.raises(AssertionError, match=fault):
        assert "\n".join(faults("1.2.0", sources)) == ""


def test_a_commit_is_released_once_whole_and_tested(sources: Path, tmp_path: Path) -> None:
    tested = tmp_path / "tested"
    [untested] = obstacles("v1.2.0", sources, tested)
    assert "have not passed here: make test" in untested
    tested.write_text(git("rev-parse", "HEAD", folder=sources) + "\n")
    assert obstacles("v1.2.0", sources, tested) == []
    (sources / "new.py").write_text("")
    assert obstacles("v1.2.0", sources, tested) == ["1 files differ from the commit: commit them"]
    commit(sources)
    assert len(obstacles("v1.2.0", sources, tested)) == 1  # the tests were of the commit before
    git("tag", "v1.2.0", folder=sources)
    assert "the tag v1.2.0 exists" in obstacles("v1.2.0", sources, tested)


def test_a_wrong_version_ends_the_command_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["0.0.1"]) == 1
    assert "cli/webhooks_cli/__init__.py has the version" in capsys.readouterr().err


def shown(root: Path, **environment: str) -> str:
    """The version that the makefile of the functions gives to a build."""
    for path in ("functions/Makefile", "layers/build.mk"):
        (root / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, root / path)
    made = subprocess.run(
        ["make", "-n", "-f", root / "functions" / "Makefile", "build-DiscoveryFunction", "ARTIFACTS_DIR=/x"],
        env={"PATH": "/usr/bin:/bin", "GIT_CEILING_DIRECTORIES": str(root.parent), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    [line] = [each for each in made.stdout.splitlines() if "version.json" in each]
    return line


def test_a_build_shows_the_tag_the_commit_and_its_time(sources: Path) -> None:
    (sources / ".gitignore").write_text("functions/\nlayers/\n")
    commit(sources)
    short = git("rev-parse", "--short=12", "HEAD", folder=sources)
    time = git("log", "-1", "--format=%ct", folder=sources)
    assert f'"v1.2.0+dev.{short}.{time}"' in shown(sources)
    assert f'"v1.2.0.{short}.{time}"' in shown(sources, WEBHOOKS_RELEASE="v1.2.0")
    git("tag", "v1.2.0", folder=sources)
    assert f'"v1.2.0.{short}.{time}"' in shown(sources)
    replace(sources / "template.yaml", "1.2.0", "1.3.0")
    assert f'"v1.2.0-dirty.{short}.{time}"' in shown(sources)


def test_a_build_without_git_shows_the_version(sources: Path) -> None:
    shutil.rmtree(sources / ".git")
    assert '"v1.2.0+dev.0000000.0"' in shown(sources)
    assert '"v1.2.0+dev.a1b2.1790000000"' in shown(sources, VERSION_ID="a1b2", SOURCE_DATE_EPOCH="1790000000")


BUILT = """\
Parameters:
  Architecture:
    Type: String
    Default: arm64
    AllowedValues:
    - arm64
    - x86_64
    Description: Processor
Globals:
  Function:
    CodeUri: functions/
Resources:
  AFunction:
    Properties:
      CodeUri: AFunction
  ALayer:
    Properties:
      ContentUri: ALayer
"""


def test_a_deployable_template_names_zip_files_and_takes_its_architecture_alone() -> None:
    made = assets.deployable(BUILT, "x86_64")
    assert "    Default: x86_64\n    AllowedValues:\n    - x86_64\n    Description" in made
    assert "CodeUri: functions/AFunction.zip\n" in made
    assert "ContentUri: layers/ALayer.zip\n" in made
    with pytest.raises(ValueError, match="no parameter Architecture"):
        assets.deployable(BUILT.replace("x86_64", "arm"), "arm64")


def test_differences_name_files_that_are_not_the_same() -> None:
    assert assets.differences({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "4"}) == ["b", "c"]


def test_a_failing_git_is_reported(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="git rev-parse: fatal"):
        git("rev-parse", "HEAD", folder=tmp_path)
