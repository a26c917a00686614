"""The probe of a release: an invocation that reads what a function needs, and changes nothing.

Its event is {"releaseProbe": true}, which neither API Gateway nor SQS nor a schedule can send. A function
answers with what failed and why; one whose settings or layers are wrong fails before that, at its start.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from webhooks.domain.errors import UnavailableError
from webhooks.entrypoints.invocation import Invocation
from webhooks.ports import Probe

PROBE = "releaseProbe"
FAILED = "failed"  # of the response

logger = logging.getLogger(__name__)


def probed[R](
    handle: Callable[[Any, Any], R], probes: Mapping[str, Probe], invocation: Invocation
) -> Callable[[Any, Any], R | dict[str, Any]]:
    """Return a handler that answers a release's probe itself. `probes`: by name, what the function needs."""

    def handle_or_probe(event: Any, context: Any) -> R | dict[str, Any]:
        if PROBE not in event:
            return handle(event, context)
        invocation.begin(context)
        return {PROBE: True, FAILED: failures(probes)}

    return handle_or_probe


def failures(probes: Mapping[str, Probe]) -> dict[str, str]:
    """Return the reason of each probe that failed."""
    failed = {}
    for name, probe in probes.items():
        try:
            probe()
        except UnavailableError as error:
            failed[name] = str(error)
        except Exception as error:  # its text may quote a secret
            logger.exception("probe.fault", extra={"reason": name})
            failed[name] = type(error).__name__
    return failed
