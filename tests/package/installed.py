"""Builds the packages of users' machines as wheels, and installs each alone under every Python that is here."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = ROOT / ".tools" / "bin" / "uv"
MINORS = (10, 11, 12, 13, 14)


def uv(*argv: object) -> None:
    ended = subprocess.run(
        [UV, *map(str, argv), "--quiet"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


def build_wheel(project: str, folder: Path) -> Path:
    constraints = ("--build-constraints", "requirements/build.txt", "--require-hashes")
    uv("build", "--wheel", "--out-dir", folder, *constraints, project)
    (built,) = folder.glob("*.whl")
    return built


def interpreter(minor: int) -> Path | None:
    """Find a Python on the PATH or of pyenv; a shim of pyenv's may be there and not run."""
    found = shutil.which(f"python3.{minor}")
    of_pyenv = sorted(Path("~/.pyenv/versions").expanduser().glob(f"3.{minor}.*/bin/python"))
    for path in [*([Path(found)] if found else []), *of_pyenv]:
        asked = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if asked.stdout.startswith(f"Python 3.{minor}."):
            return path
    return None


@dataclass(frozen=True)
class Installed:
    """An environment with one package and its dependencies, and a home folder of its own."""

    folder: Path
    home: Path

    def __call__(self, program: str, *argv: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.folder / "bin" / program, *map(str, argv)],
            cwd=self.home,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home)},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def packages(self) -> set[str]:
        (site,) = self.folder.glob("lib/python*/site-packages")
        return {path.name.partition("-")[0] for path in site.glob("*.dist-info")}
