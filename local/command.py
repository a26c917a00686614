"""Runs the `webhooks` command in this process, as a shell would."""

import io
import json
import os
import time
from pathlib import Path
from typing import Any

from local.errors import LocalError
from webhooks_cli.context import CliContext
from webhooks_cli.main import run


def webhooks(*arguments: str, folder: Path) -> Any:
    """Run the command in `folder`; return its JSON output. Raises LocalError."""
    stdout, stderr = io.StringIO(), io.StringIO()
    context = CliContext(
        stdin=io.BytesIO(),
        stdout=stdout,
        stderr=stderr,
        environment={},
        folder=folder,
        home=Path.home(),
        clock=time.time,
        random_bytes=os.urandom,
    )
    if run([*arguments, "--json"], context):
        output = stderr.getvalue().strip() or stdout.getvalue().strip()
        raise LocalError(f"`webhooks {' '.join(arguments[:3])}` failed: {output}")
    return json.loads(stdout.getvalue())
