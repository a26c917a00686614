"""The environments of the benchmarks' tools: `make` installs each by the hashes of its lock."""

import shutil
import subprocess
from collections.abc import Iterable

from local.errors import LocalError
from local.paths import LOCAL, ROOT
from local.progress import Progress

CHARTS = ".venv-bench"  # and profiles
RUNTIME = ".venv-gates"  # Lambda's runtime, which the figure of INIT uses
LOG = LOCAL / "bench" / "environments.log"


def install(names: Iterable[str], progress: Progress) -> None:
    """Install what is missing or older than its lock. Raises LocalError."""
    make = shutil.which("make")
    if make is None:
        raise LocalError("`make` is needed: it installs the tools of the benchmarks")
    LOG.parent.mkdir(parents=True, exist_ok=True)
    marks = [f"{name}/.installed" for name in names]
    if (
        subprocess.run([make, "--question", *marks], cwd=ROOT, capture_output=True, check=False).returncode
        == 0
    ):
        return
    with progress.step(f"install {', '.join(names)}"), LOG.open("w", encoding="utf-8") as output:
        code = subprocess.run([make, *marks], cwd=ROOT, stdout=output, stderr=output, check=False).returncode
    if code:
        raise LocalError(f"the tools could not be installed (log: {LOG.relative_to(ROOT)})")
