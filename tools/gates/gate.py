"""The parts that all gates share: their failure, the programs that they run, and an environment for those."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINES_SHOWN = 40
# The user's settings of these tools, and credentials of AWS, have no part in a gate.
KEPT_OUT = ("AWS_", "SAM_", "BC_", "CKV_", "PIP_AUDIT_", "ZIZMOR_", "GITHUB_TOKEN", "GH_TOKEN", "PYTHON")


class GateError(Exception):
    """A gate does not hold; the message has its findings, a line each."""


def program(environment: str, name: str) -> Path:
    """Return the path of a program that `make setup` installed. Raises GateError."""
    path = ROOT / environment / "bin" / name
    if not path.exists():
        raise GateError(f"{path.relative_to(ROOT)} is missing: `make gates` installs it")
    return path


def run(
    *command: str | Path,
    folder: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    words: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, whatever its exit status. `words`: its standard input."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(KEPT_OUT)}
    return subprocess.run(
        command,
        cwd=folder,
        env=inherited
        | {"AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"}
        | dict(environment or {}),
        input=words,
        capture_output=True,
        text=True,
        check=False,
    )


def broken(name: str, ended: subprocess.CompletedProcess[str]) -> GateError:
    """Return the failure of a program that gave no result."""
    lines = (ended.stdout + ended.stderr).splitlines()[-LINES_SHOWN:]
    return GateError("\n".join([f"{name} ended with status {ended.returncode}", *lines]))


def tracked(folder: Path = ROOT) -> list[str]:
    """Return the paths of the files that git knows, and of new ones that it does not ignore."""
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", folder=folder)
    if listed.returncode:
        raise broken("git ls-files", listed)
    return sorted(path for path in listed.stdout.split("\0") if path and (folder / path).is_file())
