"""CodeDeploy's deployments of functions: their new versions, and the results of checks."""

import json
from collections.abc import Sequence
from typing import Any

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import unavailable
from webhooks.domain.errors import UnavailableError
from webhooks.ports.releases import NewVersion

CONTENTS = ("string", "appSpecContent")  # of a revision, where its AppSpec can be
SUCCEEDED, FAILED = "Succeeded", "Failed"


class CodeDeployDeployments:
    """Deployments by their ids. A hook is called with these alone, so the versions are read."""

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def new_versions(self, deployment_id: str) -> Sequence[NewVersion]:
        """Return the versions in the deployment's AppSpec."""
        with unavailable("codedeploy GetDeployment"):
            info = self._aws.codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
        revision = info["revision"]
        if not _content(revision):  # CodeDeploy may leave the text out here, and name it by its hash
            with unavailable("codedeploy GetApplicationRevision"):
                found = self._aws.codedeploy.get_application_revision(
                    applicationName=info["applicationName"], revision=revision
                )
            revision = found["revision"]
        try:
            return _versions(json.loads(_content(revision)))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UnavailableError("the deployment's AppSpec names no version of a function") from None

    def report(self, deployment_id: str, execution_id: str, *, is_good: bool) -> None:
        """Report a check's result."""
        with unavailable("codedeploy PutLifecycleEventHookExecutionStatus"):
            self._aws.codedeploy.put_lifecycle_event_hook_execution_status(
                deploymentId=deployment_id,
                lifecycleEventHookExecutionId=execution_id,
                status=SUCCEEDED if is_good else FAILED,
            )


def _content(revision: dict[str, Any]) -> str:
    return next((text for each in CONTENTS if (text := revision.get(each, {}).get("content"))), "")


def _versions(app_spec: dict[str, Any]) -> list[NewVersion]:
    found = [
        NewVersion(str(resource["Properties"]["Name"]), str(resource["Properties"]["TargetVersion"]))
        for resources in app_spec["Resources"]
        for resource in resources.values()
    ]
    if not found:
        raise ValueError("no resource")
    return found
