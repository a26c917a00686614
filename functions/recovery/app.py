"""functions/recovery: on a schedule, takes away what a crash left behind."""

from typing import Any

from webhooks.bootstrap.recovery import compose

sweep = compose()


def lambda_handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    """Sweep orphaned credentials; answers how many there were."""
    return {"deleted": sweep.run()}
