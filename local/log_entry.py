"""One delivery's entry in the delivery log, with the phases of its attempts as bars."""

import time
from pathlib import Path

from local.command import webhooks
from local.errors import LocalError
from webhooks_cli.delivery_text import delivery_block

SECONDS = 20  # until the entry is there: the log is written after the callback was answered
PAUSE = 0.2
BAR = "█"


def read(delivery_id: str, folder: Path, *, seconds: float = SECONDS) -> str:
    """Return the entry as text. Raises LocalError where it does not come."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return delivery_block(webhooks("deliveries", "show", delivery_id, folder=folder), bar=BAR)
        except LocalError:
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE)
