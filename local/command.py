"""Runs the `webhooks` command in this process, as a shell would."""

import io
import json
import os
import time
from pathlib import Path
from typing import Any

from local.errors import LocalError
from webhooks_cli.main import run
from webhooks_cli.world import World


def webhooks(*arguments: str, folder: Path) -> Any:
    """Run the command in `folder`; return its JSON output. Raises LocalError."""
    stdout, stderr = io.StringIO(), io.StringIO()
    world = World(
        stdin=io.BytesIO(),
        stdout=stdout,
        stderr=stderr,
        environment={},
        folder=folder,
        home=Path.home(),
        clock=time.time,
        entropy=os.urandom,
    )
    if run([*arguments, "--json"], world):
        output = stderr.getvalue().strip() or stdout.getvalue().strip()
        raise LocalError(f"`webhooks {' '.join(arguments[:3])}` failed: {output}")
    return json.loads(stdout.getvalue())
