"""The checks: properties of the deployed service that no emulator shows as AWS has them."""

from collections.abc import Sequence

from acceptance.checks import deployment, encryption, event_path, figures, gateway, watching
from acceptance.checks.check import Check

# In this order: those of the deployment change the stack, and the figures count everything before them.
ALL: Sequence[Check] = (
    *gateway.CHECKS,
    *encryption.CHECKS,
    *event_path.CHECKS,
    *watching.CHECKS,
    *deployment.CHECKS,
    *figures.CHECKS,
)
