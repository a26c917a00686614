"""Makes one digest of all files that a build reads, to tell whether the deployed stack is up to date."""

import subprocess
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from local.paths import ROOT

DIGEST_CHARACTERS = 32
BUILT_FROM = ("template.yaml", "samconfig.toml", "functions", "layers")


def digest(settings: Iterable[str], *, root: Path = ROOT) -> str:
    """Return a digest of the sources, the commit (a part of the version) and the deployment's settings."""
    whole = sha256()
    for path in _files(root):
        whole.update(str(path.relative_to(root)).encode() + b"\0" + sha256(path.read_bytes()).digest())
    for setting in (_commit(), *settings):
        whole.update(setting.encode() + b"\0")
    return whole.hexdigest()[:DIGEST_CHARACTERS]


def _files(root: Path) -> Iterator[Path]:
    for name in BUILT_FROM:
        start = root / name
        for path in [start] if start.is_file() else sorted(start.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def _commit() -> str:
    try:
        response = subprocess.run(
            ["git", "-C", ROOT, "describe", "--always", "--tags"], capture_output=True, text=True, check=False
        )
    except OSError:  # git is not installed: the version has no commit then
        return ""
    return response.stdout.strip()
