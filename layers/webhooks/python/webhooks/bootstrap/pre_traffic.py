"""Composes functions/pre_traffic."""

from contextlib import ExitStack
from dataclasses import dataclass

from botocore.config import Config

from webhooks.adapters.aws.clients import CONFIG, AwsClients
from webhooks.adapters.aws_lambda.versions import LambdaVersions
from webhooks.adapters.codedeploy.deployments import CodeDeployDeployments
from webhooks.bootstrap.aws_app import AwsApp
from webhooks.bootstrap.runtime import invocation, start
from webhooks.services.release_check import ReleaseCheck
from webhooks.settings import PreTrafficSettings

# A new version starts cold, and its probe waits for AWS: two such invocations fit into one of the check.
PROBE_SECONDS = 45


@dataclass(frozen=True, kw_only=True)
class PreTrafficApp(AwsApp):
    check: ReleaseCheck


def compose(settings: PreTrafficSettings | None = None, aws: AwsClients | None = None) -> PreTrafficApp:
    start(PreTrafficSettings, settings)
    opened = ExitStack()
    if aws is None:
        patient = CONFIG.merge(
            Config(read_timeout=PROBE_SECONDS, retries={"mode": "standard", "total_max_attempts": 2})
        )
        aws = AwsClients(time_left=invocation.left, config=patient)
        opened.callback(aws.close)
    check = ReleaseCheck(deployments=CodeDeployDeployments(aws), versions=LambdaVersions(aws))
    return PreTrafficApp(aws=aws, opened=opened, probes={}, check=check)
