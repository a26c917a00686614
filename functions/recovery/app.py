"""functions/recovery: on a schedule, takes away what a crash left behind."""

from typing import Any

from webhooks.bootstrap.recovery import compose
from webhooks.bootstrap.runtime import invocation

sweep = compose()


def lambda_handler(_event: dict[str, Any], context: object) -> dict[str, int]:
    """Sweep orphaned credentials; answers how many there were."""
    invocation.begin(context)
    return {"deleted": sweep.run()}
