import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import environments
from local.errors import LocalError
from local.paths import ROOT
from local.progress import Progress


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "Makefile").write_text(
        ".venv-%/.installed: lock\n\t@mkdir -p .venv-$*; echo installed; touch $@\n"
        ".venv-broken/.installed:\n\t@echo no such package; exit 1\n"
    )
    (tmp_path / "lock").touch()
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    monkeypatch.setattr(environments, "LOG", tmp_path / "log")
    return tmp_path


def install(*names: str) -> str:
    shown = io.StringIO()
    environments.install(names, Progress(Console(file=shown)))
    return shown.getvalue()


def test_a_missing_environment_is_installed_once(project: Path) -> None:
    assert "install .venv-bench" in install(".venv-bench")
    assert (project / ".venv-bench" / ".installed").exists()
    assert install(".venv-bench") == ""


def test_an_environment_that_cannot_be_installed_is_named_with_its_log(project: Path) -> None:
    with pytest.raises(LocalError, match=r"\(log: log\)"):
        install(".venv-broken")
    assert "no such package" in (project / "log").read_text()


def test_without_make_the_need_for_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LocalError, match="`make` is needed"):
        install(".venv-bench")


def test_the_environments_are_those_of_the_makefile() -> None:
    text = (ROOT / "Makefile").read_text()
    for name in (environments.CHARTS, environments.RUNTIME):
        assert f"{name}/.installed" in text
        assert (ROOT / "requirements" / f"{name.removeprefix('.venv-')}.txt").is_file()


def test_the_tools_of_the_benchmarks_are_not_in_the_lock_of_the_project() -> None:
    def names(lock: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / lock).read_text(), re.MULTILINE))

    alone = {"matplotlib", "py-spy"}
    assert alone <= names("bench.txt")
    assert not alone & names("dev.txt")


def test_the_help_lists_each_figure() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "  12     Dollars for a million events to one endpoint" in ended.stdout
    assert "--only" in ended.stdout
