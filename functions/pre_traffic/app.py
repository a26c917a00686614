"""functions/pre_traffic: checks each new version before CodeDeploy shifts traffic to it."""

from collections.abc import Callable
from typing import Any

from webhooks.bootstrap.pre_traffic import PreTrafficApp, compose
from webhooks.bootstrap.runtime import invocation


def handler(app: PreTrafficApp) -> Callable[[dict[str, Any], object], dict[str, bool]]:
    def handle(event: dict[str, Any], context: object) -> dict[str, bool]:
        """Check a deployment; its result goes to CodeDeploy, and into the log."""
        invocation.begin(context)
        is_good = app.check.run(event["DeploymentId"], event["LifecycleEventHookExecutionId"])
        return {"isGood": is_good}

    return handle


app = compose()
lambda_handler = handler(app)
