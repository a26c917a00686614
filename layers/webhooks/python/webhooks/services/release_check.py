"""The check of a release, before its versions get traffic: each is invoked with a probe, and must answer it.

A version whose settings, layers or permissions are wrong fails here, and its alias stays where it is.
"""

import logging

from webhooks.domain.errors import UnavailableError
from webhooks.ports.releases import Deployments, NewVersion, Versions

logger = logging.getLogger(__name__)


class ReleaseCheck:
    """Checks deployments."""

    def __init__(self, *, deployments: Deployments, versions: Versions) -> None:
        self._deployments = deployments
        self._versions = versions

    def run(self, deployment_id: str, execution_id: str) -> bool:
        """Check a deployment, report the result and return it. Raises UnavailableError from the report.

        Whatever goes wrong before is a failure: without a report, the deployment would wait for an hour.
        """
        is_good = self._is_good(deployment_id)
        self._deployments.report(deployment_id, execution_id, is_good=is_good)
        return is_good

    def _is_good(self, deployment_id: str) -> bool:
        try:
            versions = self._deployments.new_versions(deployment_id)
            results = [self._probe(deployment_id, each) for each in versions]
        except UnavailableError as error:
            extra = {"deployment_id": deployment_id, "reason": str(error)}
            logger.error("release.refused", extra=extra)  # noqa: TRY400 - its text says all
            return False
        except Exception as error:  # the boundary of a check
            extra = {"deployment_id": deployment_id, "reason": type(error).__name__}
            logger.exception("release.refused", extra=extra)
            return False
        return bool(results) and all(results)

    def _probe(self, deployment_id: str, version: NewVersion) -> bool:
        fields = {
            "deployment_id": deployment_id,
            "function": version.function,
            "version": version.version,
        }
        try:
            failed = self._versions.probe(version)
        except UnavailableError as error:
            failed = {"invocation": str(error)}
        if failed:
            reason = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
            logger.error("release.refused", extra=fields | {"reason": reason})
            return False
        logger.info("release.checked", extra=fields)
        return True
