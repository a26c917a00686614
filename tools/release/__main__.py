"""`python -m tools.release 1.2.3` makes a release: checks, artefacts in dist/1.2.3, notes, the tag v1.2.3.

--build FOLDER   builds the artefacts alone, for a commit that has its tag
--notes          prints the notes alone
--tested         notes that all tests of this commit passed, if nothing differs from the commit
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from local.errors import LocalError
from local.paths import LOCAL
from tools.gates.gate import ROOT, GateError
from tools.release import assets
from tools.release.versions import faults, notes

TESTED = LOCAL / "tested"  # the commit whose tests passed last


def main(arguments: list[str] | None = None) -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description="Make a release.")
    parser.add_argument("version", nargs="?", help="1.2.3 or 1.2.3-rc.1")
    parser.add_argument(
        "--build", metavar="FOLDER", type=Path, help="build the artefacts alone, into the folder"
    )
    parser.add_argument("--notes", action="store_true", help="print the notes alone")
    parser.add_argument("--tested", action="store_true", help="note that the tests of this commit passed")
    given = parser.parse_args(arguments)
    try:
        if given.tested:
            _note_tested()
        elif not given.version:
            parser.error("name the version: make release VERSION=1.2.3")
        elif given.notes:
            _require(faults(given.version))
            print(notes(given.version))
        elif given.build:
            _require(faults(given.version))
            _build(given.version, given.build)
        else:
            _release(given.version)
    except (GateError, LocalError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _release(version: str) -> None:
    tag, folder = f"v{version}", ROOT / "dist" / version
    _require(faults(version) + obstacles(tag, ROOT, TESTED))
    _build(version, folder)
    (folder / "NOTES.md").write_text(notes(version) + "\n", "utf-8")
    git("tag", "--annotate", tag, "--message", f"Release {version}", folder=ROOT)
    print(
        f"{folder.relative_to(ROOT)} has the artefacts, the commit has the tag {tag}; "
        f"publish it: git push origin {tag}"
    )


def obstacles(tag: str, root: Path, tested: Path) -> list[str]:
    """Return each reason for which the commit cannot be released now."""
    found = []
    if changed := git("status", "--porcelain", folder=root):
        found.append(f"{len(changed.splitlines())} files differ from the commit: commit them")
    commit = git("rev-parse", "HEAD", folder=root)
    if not tested.is_file() or tested.read_text("utf-8").strip() != commit:
        found.append(f"the tests of the commit {commit[:12]} have not passed here: make test")
    if git("tag", "--list", tag, folder=root):
        found.append(f"the tag {tag} exists")
    return found


def _build(version: str, folder: Path) -> None:
    """Build the artefacts into the folder. Raises LocalError or GateError."""
    with tempfile.TemporaryDirectory() as temporary:
        assets.make(Path(temporary), version, tag=f"v{version}")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(Path(temporary, "assets"), folder)
    print((folder / assets.SUMS).read_text("utf-8"), end="")


def _note_tested() -> None:
    if not git("status", "--porcelain", folder=ROOT):
        TESTED.parent.mkdir(parents=True, exist_ok=True)
        TESTED.write_text(git("rev-parse", "HEAD", folder=ROOT) + "\n", "utf-8")


def git(*arguments: str, folder: Path) -> str:
    """Run git; returns its output. Raises GateError."""
    ended = subprocess.run(
        ["git", "-C", folder, *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if ended.returncode:
        raise GateError(f"git {arguments[0]}: {ended.stderr.strip()}")
    return ended.stdout.strip()


def _require(found: list[str]) -> None:
    if found:
        raise GateError("\n".join(found))


if __name__ == "__main__":
    sys.exit(main())
