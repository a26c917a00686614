"""The pages under functions/console/ are those that web/ and its lock give, on any machine."""

import json
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
READ = ("web", "tools", "functions", "events")  # by the build
PAGES = ("console.html", "docs.html")
EXACT = re.compile(r"\d+\.\d+\.\d+(-[\w.]+)?")


def lock() -> dict[str, dict[str, Any]]:
    """Return the locked packages by their folder; "" is the project's own."""
    packages: dict[str, dict[str, Any]] = json.loads((ROOT / "web/package-lock.json").read_text())["packages"]
    return packages


def hashes(folder: Path) -> dict[str, str]:
    return {name: sha256((folder / "functions/console" / name).read_bytes()).hexdigest() for name in PAGES}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources alone, elsewhere, with their packages installed and the pages built."""
    folder = tmp_path_factory.mktemp("anew")
    others = shutil.ignore_patterns("node_modules", "__pycache__", *PAGES)
    for name in READ:
        shutil.copytree(ROOT / name, folder / name, ignore=others)
    made = subprocess.run(
        [sys.executable, "-m", "tools.pages"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


def test_a_fresh_build_gives_the_same_bytes(copied: Path) -> None:
    """Where this fails, `make pages` was not run after a change."""
    assert (copied / "web/node_modules").is_dir()
    assert hashes(copied) == hashes(ROOT)


def test_the_pages_name_no_folder_of_this_machine(copied: Path) -> None:
    for name in PAGES:
        page = (copied / "functions/console" / name).read_text()
        assert str(copied) not in page
        assert str(ROOT) not in page


def test_the_project_names_exact_versions() -> None:
    project = json.loads((ROOT / "web/package.json").read_text())
    versions = project["dependencies"] | project["devDependencies"]
    assert {name: each for name, each in versions.items() if not EXACT.fullmatch(each)} == {}
    own = lock()[""]
    assert own["dependencies"] | own["devDependencies"] == versions


def test_each_locked_package_has_a_hash_and_no_address() -> None:
    """A registry's mirror serves the same bytes, and the lock names no host."""
    packages = {name: each for name, each in lock().items() if name}
    assert len(packages) > 10
    assert [name for name, each in packages.items() if not each["integrity"].startswith("sha512-")] == []
    assert [name for name, each in packages.items() if "resolved" in each] == []
    assert "omit-lockfile-registry-resolved=true" in (ROOT / "web/.npmrc").read_text().split()


def test_no_locked_package_needs_a_script_to_be_installed() -> None:
    """`npm ci` runs with --ignore-scripts."""
    installing = [name for name, each in lock().items() if each.get("hasInstallScript")]
    assert [name for name in installing if not lock()[name].get("optional")] == []
